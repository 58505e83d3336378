dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl The checks of configure.ac, one macro for each group of things. A check that fails calls
dnl MDM_MISSING and goes on, so that one run of configure names everything that has to be installed.

dnl MDM_MISSING(WHAT, DEBIAN-PACKAGE)
AC_DEFUN([MDM_MISSING],
[mdm_missing="$mdm_missing
  - $1 (Debian package: $2)"])

AC_DEFUN([MDM_MISSING_REPORT],
[if test -n "$mdm_missing"; then
  AC_MSG_ERROR([these are missing or too old:
$mdm_missing

On Debian, "build/install-packages" installs all of them.])
fi])

dnl MDM_PKG(VARIABLE, MODULE, OLDEST, DEBIAN-PACKAGE)
AC_DEFUN([MDM_PKG],
[PKG_CHECK_MODULES([$1], [$2 >= $3], [],
  [MDM_MISSING([$2 $3 or newer], [$4])])])

dnl httpd through its apxs: headers, module folder, configuration folder, program.
AC_DEFUN([MDM_HTTPD],
[AC_ARG_WITH([apxs],
  [AS_HELP_STRING([--with-apxs=FILE], [apxs of the httpd to build for])],
  [APXS=$withval], [APXS=])
AC_ARG_WITH([apache],
  [AS_HELP_STRING([--with-apache=FILE], [httpd program that the tests start])],
  [HTTPD=$withval], [HTTPD=])
AC_ARG_WITH([module-dir],
  [AS_HELP_STRING([--with-module-dir=DIR], [where mod_mdm.so is installed @<:@LIBEXECDIR of apxs@:>@])],
  [moduledir=$withval], [moduledir=])
AC_ARG_WITH([module-conf-dir],
  [AS_HELP_STRING([--with-module-conf-dir=DIR], [where mdm.load and mdm.conf are installed
    @<:@mods-available of Debian, else conf.modules.d, else extra@:>@])],
  [moduleconfdir=$withval], [moduleconfdir=])
if test -z "$APXS"; then
  AC_PATH_PROGS([APXS], [apxs apxs2], [], [$PATH:/usr/sbin:/usr/local/apache2/bin])
fi
if test -z "$APXS" || test ! -x "$APXS"; then
  MDM_MISSING([apxs, the httpd 2.4.49 development files], [apache2-dev])
else
  HTTPD_INCLUDEDIR=`$APXS -q INCLUDEDIR`
  HTTPD_MODULES_DIR=`$APXS -q LIBEXECDIR`
  mdm_apache_confdir=`$APXS -q SYSCONFDIR`
  HTTPD_CPPFLAGS="-I$HTTPD_INCLUDEDIR `$APXS -q EXTRA_INCLUDES | $SED 's/-I@<:@^ @:>@*apr@<:@^ @:>@*//g'`"
  test -n "$HTTPD" || HTTPD="`$APXS -q SBINDIR`/`$APXS -q PROGNAME`"
  test -n "$moduledir" || moduledir=$HTTPD_MODULES_DIR
  MDM_HTTPD_CONF_DIR
  MDM_HTTPD_VERSION
fi
AC_SUBST([APXS])
AC_SUBST([HTTPD])
AC_SUBST([HTTPD_INCLUDEDIR])
AC_SUBST([HTTPD_CPPFLAGS])
AC_SUBST([HTTPD_MODULES_DIR])
AC_SUBST([moduledir])
AC_SUBST([moduleconfdir])])

AC_DEFUN([MDM_HTTPD_CONF_DIR],
[if test -z "$moduleconfdir"; then
  moduleconfdir=$mdm_apache_confdir/extra
  test ! -d "$mdm_apache_confdir/../conf.modules.d" || moduleconfdir=$mdm_apache_confdir/../conf.modules.d
  test ! -d "$mdm_apache_confdir/mods-available" || moduleconfdir=$mdm_apache_confdir/mods-available
  dnl Debian's apache2-bin comes without the configuration; apache2 brings it later.
  test "x$mdm_apache_confdir" != x/etc/apache2 || moduleconfdir=$mdm_apache_confdir/mods-available
fi])

dnl 2.4.49 is MMN 20120211:110, the first with the child_stopping hook.
AC_DEFUN([MDM_HTTPD_VERSION],
[AC_MSG_CHECKING([for httpd 2.4.49 or newer])
mdm_save_CPPFLAGS=$CPPFLAGS
CPPFLAGS="$CPPFLAGS -I$HTTPD_INCLUDEDIR"
AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
#include <ap_mmn.h>
#if !AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
#error too old
#endif
]])], [AC_MSG_RESULT([yes])],
  [AC_MSG_RESULT([no])
   MDM_MISSING([httpd 2.4.49 or newer (module magic number 20120211:110)], [apache2-dev])])
CPPFLAGS=$mdm_save_CPPFLAGS])

dnl APR and apr-util: the ones httpd was built with.
AC_DEFUN([MDM_APR],
[APR_CONFIG=
APU_CONFIG=
if test -n "$APXS" && test -x "$APXS"; then
  APR_CONFIG=`$APXS -q APR_CONFIG`
  APU_CONFIG=`$APXS -q APU_CONFIG`
fi
test -n "$APR_CONFIG" || AC_PATH_PROGS([APR_CONFIG], [apr-1-config])
test -n "$APU_CONFIG" || AC_PATH_PROGS([APU_CONFIG], [apu-1-config])
MDM_APR_PART([APR], [APR], [$APR_CONFIG], [libapr1-dev])
MDM_APR_PART([APU], [apr-util], [$APU_CONFIG], [libaprutil1-dev])
AC_SUBST([APR_CFLAGS])
AC_SUBST([APR_LIBS])
AC_SUBST([APU_CFLAGS])
AC_SUBST([APU_LIBS])])

dnl MDM_APR_PART(PREFIX, NAME, CONFIG-PROGRAM, DEBIAN-PACKAGE)
AC_DEFUN([MDM_APR_PART],
[AC_MSG_CHECKING([for $2 1.6 or newer])
mdm_version=none
if test -n "$3" && test -x "$3"; then
  mdm_version=`$3 --version`
  case $1 in
    APR) $1_CFLAGS="`$3 --cppflags` `$3 --includes`" ;;
    *) $1_CFLAGS=`$3 --includes` ;;
  esac
  $1_LIBS=`$3 --link-ld`
fi
AC_MSG_RESULT([$mdm_version])
AS_VERSION_COMPARE([$mdm_version], [1.6.0], [mdm_old=yes], [mdm_old=no], [mdm_old=no])
if test "x$mdm_version" = xnone || test "x$mdm_old" = xyes; then
  MDM_MISSING([$2 1.6 or newer], [$4])
fi])

AC_DEFUN([MDM_LIBRARIES],
[MDM_PKG([OPENSSL], [openssl], [3.0], [libssl-dev])
MDM_PKG([CURL], [libcurl], [7.77], [libcurl4-openssl-dev])
MDM_PKG([NGHTTP2], [libnghttp2], [1.43], [libnghttp2-dev])
MDM_PKG([JANSSON], [jansson], [2.12], [libjansson-dev])
MDM_PKG([LDAP], [ldap], [2.5], [libldap-dev])
MDM_PKG([XML2], [libxml-2.0], [2.9], [libxml2-dev])
MDM_PKG([PLIST], [libplist-2.0], [2.2], [libplist-dev])
MDM_PKG([QRENCODE], [libqrencode], [3.4], [libqrencode-dev])
MDM_PKG([PNG], [libpng], [1.6], [libpng-dev])
])

dnl What "make check" needs beside the build: Check, a Python with the packages, httpd, PostgreSQL.
AC_DEFUN([MDM_TESTS],
[MDM_PKG([CHECK], [check], [0.12], [check])
MDM_TESTS_PYTHON
AC_MSG_CHECKING([for the httpd program])
if test -n "$HTTPD" && test -x "$HTTPD"; then
  AC_MSG_RESULT([$HTTPD])
else
  AC_MSG_RESULT([no])
  MDM_MISSING([the httpd program ${HTTPD:-apache2}], [apache2-bin])
fi
MDM_TESTS_POSTGRESQL
MDM_DBD_DRIVER([sqlite3], [libaprutil1-dbd-sqlite3])
MDM_DBD_DRIVER([pgsql], [libaprutil1-dbd-pgsql])
for mdm_pair in openssl:openssl curl:curl sqlite3:sqlite3 nghttpd:nghttp2-server \
    rsvg-convert:librsvg2-bin zbarimg:zbar-tools; do
  mdm_program=`echo $mdm_pair | $SED 's/:.*//'`
  mdm_package=`echo $mdm_pair | $SED 's/.*://'`
  AC_MSG_CHECKING([for $mdm_program])
  if type "$mdm_program" >/dev/null 2>&1; then
    AC_MSG_RESULT([yes])
  else
    AC_MSG_RESULT([no])
    MDM_MISSING([$mdm_program, the program], [$mdm_package])
  fi
done
AC_PATH_PROG([VALGRIND], [valgrind])])

AC_DEFUN([MDM_TESTS_PYTHON],
[AC_ARG_VAR([PYTHON], [Python 3 with pytest, cryptography and h2, for the tests])
AC_MSG_CHECKING([for a Python 3 with pytest, cryptography and h2])
mdm_python=
for mdm_candidate in "$PYTHON" python3 /usr/bin/python3; do
  test -n "$mdm_candidate" || continue
  if "$mdm_candidate" -c 'import pytest, cryptography, h2' >/dev/null 2>&1; then
    mdm_python=`"$mdm_candidate" -c 'import sys; print(sys.executable)'`
    break
  fi
done
PYTHON=$mdm_python
AC_MSG_RESULT([${PYTHON:-no}])
if test -z "$PYTHON"; then
  MDM_MISSING([Python 3 with the modules pytest, cryptography and h2],
    [python3 python3-pytest python3-cryptography python3-h2])
fi])

AC_DEFUN([MDM_TESTS_POSTGRESQL],
[AC_ARG_WITH([pg-bindir],
  [AS_HELP_STRING([--with-pg-bindir=DIR], [folder with initdb and postgres, for the tests])],
  [PG_BINDIR=$withval], [PG_BINDIR=])
AC_MSG_CHECKING([for the PostgreSQL server programs])
if test -z "$PG_BINDIR"; then
  for mdm_candidate in `ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n -r` \
      "`pg_config --bindir 2>/dev/null`" /usr/bin; do
    if test -x "$mdm_candidate/initdb"; then
      PG_BINDIR=$mdm_candidate
      break
    fi
  done
fi
if test -n "$PG_BINDIR" && test -x "$PG_BINDIR/initdb"; then
  AC_MSG_RESULT([$PG_BINDIR])
else
  AC_MSG_RESULT([no])
  MDM_MISSING([the PostgreSQL server, with initdb], [postgresql])
fi
AC_SUBST([PG_BINDIR])])

dnl MDM_DBD_DRIVER(NAME, DEBIAN-PACKAGE): ask apr-util itself whether it can load the driver.
AC_DEFUN([MDM_DBD_DRIVER],
[AC_MSG_CHECKING([for the apr-util driver $1])
mdm_save_CPPFLAGS=$CPPFLAGS
mdm_save_LIBS=$LIBS
CPPFLAGS="$CPPFLAGS $APR_CFLAGS $APU_CFLAGS"
LIBS="$APU_LIBS $APR_LIBS $LIBS"
AC_RUN_IFELSE([AC_LANG_PROGRAM([[
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_dbd.h>
]], [[
    const apr_dbd_driver_t *driver;
    apr_pool_t *pool;

    if (apr_initialize() || apr_pool_create(&pool, NULL) || apr_dbd_init(pool))
        return 2;
    return apr_dbd_get_driver(pool, "$1", &driver) != APR_SUCCESS;
]])], [AC_MSG_RESULT([yes])],
  [AC_MSG_RESULT([no])
   MDM_MISSING([the apr-util database driver $1], [$2])],
  [AC_MSG_RESULT([not asked, cross compiling])])
CPPFLAGS=$mdm_save_CPPFLAGS
LIBS=$mdm_save_LIBS])

AC_DEFUN([MDM_COMPILER_FLAGS],
[MDM_WARN_CFLAGS="-std=gnu11 -Wall -Wextra -Wformat-security -Wshadow"
dnl clang sees null pointers in the sentinels of APR's rings (APR_BRIGADE_SENTINEL)
AC_MSG_CHECKING([whether $CC knows -Wnull-pointer-subtraction])
mdm_save_CFLAGS=$CFLAGS
CFLAGS="$CFLAGS -Werror -Wnull-pointer-subtraction"
AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
  [AC_MSG_RESULT([yes])
   MDM_WARN_CFLAGS="$MDM_WARN_CFLAGS -Wno-null-pointer-subtraction"],
  [AC_MSG_RESULT([no])])
CFLAGS=$mdm_save_CFLAGS
AS_IF([test "x$enable_werror" = xyes], [MDM_WARN_CFLAGS="$MDM_WARN_CFLAGS -Werror"])
MDM_SAN_CFLAGS=
HTTPD_PRELOAD=
TEST_HTTPD=$HTTPD
if test "x$enable_asan" = xyes; then
  MDM_SAN_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
  dnl httpd itself is built without the sanitizer: its runtime has to be in the process before the module.
  case `$CC --version` in
    *clang*) HTTPD_PRELOAD=`$CC -print-file-name=libclang_rt.asan-\`uname -m\`.so`
             MDM_SAN_CFLAGS="$MDM_SAN_CFLAGS -shared-libasan" ;;
    *) HTTPD_PRELOAD=`$CC -print-file-name=libasan.so` ;;
  esac
  TEST_HTTPD=`pwd`/t/httpd-asan
fi
AC_SUBST([MDM_WARN_CFLAGS])
AC_SUBST([MDM_SAN_CFLAGS])
AC_SUBST([HTTPD_PRELOAD])
AC_SUBST([TEST_HTTPD])])
