# SPDX-License-Identifier: Apache-2.0
#
# For build/quickstart: packages, and the module built outside the source tree.

install_packages() {
    if command -v apt-get >/dev/null; then
        "$src/build/install-packages" build run || die "packages are missing" "see above; build/packages lists them"
    else
        say "This is not a Debian system: build/packages lists what has to be installed."
    fi
}

# build/test builds in the same folder. Its names for the two are ours for other things, hence the subshell.
choose_build_folder() {
    local names
    names=$(
        . "$src/build/configured"
        plain_folders "$src"
        printf '%s\n%s\n' "$tree" "$dir"
    ) || exit 1
    { read -r tree && read -r build; } <<<"$names"
}

build_module() {
    local log=$dir/log/build.log
    choose_build_folder
    if [ -f "$build/Makefile" ] && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -q -C "$build" all >/dev/null 2>&1; then
        step "module" "built already ($build)"
    else
        step "module" "building in $build; the first time takes a minute"
        build_all >"$log" 2>&1 || die_with "$log" "the build failed" "the whole output is in $log"
    fi
    # t/env is made by configure and says which httpd this was built for.
    httpd=$(. "$build/t/env" && printf '%s' "$MDM_HTTPD")
    modules=$(. "$build/t/env" && printf '%s' "$MDM_MODULES_DIR")
    [ -x "$httpd" ] || die "the httpd program $httpd is missing" "install the package apache2-bin"
}

# A build folder that build/test has configured is taken as it is. A shell of its own, because "set -e" does not
# hold inside a condition.
build_all() {
    env -u MDM_BUILDDIR -u MAKEFLAGS -u MFLAGS -u MAKELEVEL bash -eu -c '
        . "$1/build/configured"
        [ -f "$3/Makefile" ] && [ -x "$3/config.status" ] || configured "$2" "$3" --disable-tests
        make -C "$3" -j"$(nproc)" all' - "$src" "$tree" "$build"
}

# The running site has copies of its own, so that a new build changes nothing under its feet.
copy_programs() {
    local ctl=$build/mdmctl
    [ ! -x "$build/.libs/mdmctl" ] || ctl=$build/.libs/mdmctl
    copy_changed "$build/.libs/mod_mdm.so" "$dir/modules/mod_mdm.so" 0644
    copy_changed "$ctl" "$dir/bin/mdmctl" 0755
}

copy_changed() {
    cmp -s "$1" "$2" && return
    install -m "$3" "$1" "$2.new" || die "the build has not made $1" "see $dir/log/build.log"
    mv -f "$2.new" "$2"
}
