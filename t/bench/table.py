# SPDX-License-Identifier: Apache-2.0
"""The results as Markdown."""

import statistics

# For orientation: NanoMDM 0.9 with PostgreSQL 15 on a two-core machine that makes 1 330 RSA-2048 operations/s a core.
NANOMDM = {
    "idle": "430-750 Idle/s (0.5 ms of the server and 0.85 ms of the database each); 130-150 after 1 000 finished "
            "commands per device",
    "cycle": "410-520 commands/s",
    "token-update": "470-700/s",
    "enroll": "188/s at 1 000 enrollments, 22-26/s at 100 000",
    "enqueue": "1 250/s; in bulk 38 000 ids/s",
}
DATABASES = {"sqlite3": "SQLite", "pgsql": "PostgreSQL"}


LEGEND = """\
A unit of work is what the path names; p50 and p99 are its latencies with all connections busy. "static" is a file of
the size of the answers, from the same httpd over the same kind of connection, between the rounds of the path; "of
static" compares requests/s. SQL, RSA and the processor times (microseconds) are those of a unit; "CPU ratio" is the
static file's processor time beside the path's, which other programs on the machine disturb less than requests/s.
"child MB" is the largest resident size of an httpd child.
"""


def number(value):
    """Three digits that count, thousands apart."""
    if value >= 1000:
        return "{:,.0f}".format(value).replace(",", " ")
    return "%.0f" % value if value >= 100 else "%.1f" % value if value >= 10 else "%.2f" % value


def count(value):
    return "%.0f" % value if abs(value - round(value)) < 0.005 else "%.2f" % value


def percent(value):
    return "%.0f %%" % (100 * value)


def rows(lines):
    """A Markdown table with columns of even width."""
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text) + "\n"


HEAD = ("Path", "units/s", "requests/s", "static/s", "of static", "p50 ms", "p99 ms", "SQL", "RSA", "httpd us",
        "database us", "static us", "CPU ratio", "child MB")


def paths(found):
    """The table of one database at one size; found is a list of (Path, Figures)."""
    return rows([HEAD] + [
        (path.title, number(one.rate), number(one.rate * one.requests), number(one.static), percent(one.ratio),
         number(one.p50), number(one.p99), count(one.statements), count(one.rsa), number(one.httpd),
         number(one.database), number(one.static_cost * one.requests), percent(one.cost_ratio), number(one.peak)) for path, one in found])


def scep(found, rsa):
    """SCEP beside what its three private operations allow; found is a Figures, rsa operations a second."""
    most = rsa / 3
    cost = 1e6 / (found.httpd + found.database)
    return ("SCEP: %s enrollments/s on one core. openssl speed rsa2048 on the same core, in this run: %s private "
            "operations/s, a third of it %s: %s (by processor time %s).\n" % (
                number(found.rate), number(rsa), number(most), percent(found.rate / most), percent(cost / most)))


def growth(small, large, sizes):
    """How the larger site compares; both are lists of (Path, Figures)."""
    lines = [("Path", "of static at %s" % number(sizes[0]), "of static at %s" % number(sizes[1]), "ratio",
              "by CPU time")]
    for (path, before), (_, after) in zip(small, large):
        lines.append((path.title, percent(before.ratio), percent(after.ratio), percent(after.ratio / before.ratio),
                      percent((before.httpd + before.database) / (after.httpd + after.database))))
    return rows(lines)


def bulk(one):
    return ("Enqueue to %s enrollments in one call: %.2f s, of it %.2f s of processor time in httpd and %.2f s in the "
            "database; %d statements, %d commit%s; peak of a child %.0f MB.\n" % (
                number(one.count), one.seconds, one.httpd_seconds, one.database_seconds, one.statements, one.commits,
                "" if one.commits == 1 else "s", one.peak))


def pushes(found):
    lines = [("Pushes to", "pushes", "pushes/s", "h2load/s", "of h2load", "connections", "httpd us", "database us",
              "server us", "by h2load", "child MB")]
    for one in found:
        lines.append((one.title, number(one.count), number(one.rate), number(one.h2load),
                      percent(one.rate / one.h2load), str(one.opened or "-"), number(1e6 * one.httpd / one.count),
                      number(1e6 * one.database / one.count), number(1e6 * one.server / one.count),
                      number(1e6 * one.server_h2load / one.count), ", ".join("%.1f" % size for size in one.sizes)))
    return rows(lines)


def single(one):
    def spread(values):
        return "%s, at most %s ms" % (number(statistics.median(values)), number(max(values)))
    return ("Commands for one device each, the mock answering late (median, most): the call of the API takes %s, and %s "
            "while %s others are woken (of which %s waited at the end); its push arrives %s after the call began.\n" % (
                spread(one.alone), spread(one.beside), number(one.others), number(one.left), spread(one.waits)))


def fanout(size, found, requests):
    lines = [("Change", "looked at", "changed", "seconds", "SQL", "transactions", "httpd s", "database s",
              "CPU us each", "child MB")]
    for one in found:
        lines.append((one.title, number(one.looked), number(one.changed), "%.1f" % one.seconds, number(one.statements),
                      number(one.commits), "%.1f" % one.httpd, "%.1f" % one.database,
                      number(1e6 * (one.httpd + one.database) / max(1, one.changed)), "%.0f" % one.peak))
    text = "%s enrollments, %d profiles, %d groups, %s memberships, %s rows of what should hold:\n\n%s" % (
        number(size.enrollments), size.profiles, size.groups, number(size.members), number(size.rows), rows(lines))
    for one in requests:
        text += "\nDevices' requests (Idle) beside %s: %s/s before, %s/s meanwhile (%s).\n" % (
            one.title, number(one.before), number(one.beside), percent(one.beside / one.before))
    return text


def drain(one):
    lines = [("%s devices" % number(one.count), "seconds", "p50 ms", "p99 ms", "most ms", "httpd us each",
              "database us each")]
    for title, part in (("enroll", one.enrolled), ("come for their profile", one.drained)):
        times = sorted(part.times)
        lines.append((title, "%.0f" % part.seconds, number(1e3 * times[len(times) // 2]),
                      number(1e3 * times[len(times) * 99 // 100]), number(1e3 * times[-1]),
                      number(1e6 * part.httpd / one.count), number(1e6 * part.database / one.count)))
    return rows(lines) + (
        "\nOne assignment: all %s commands queued after %.1f s; all profiles verified when the queue is empty. The database "
        "has grown from %.1f to %.1f MB, %s octets a device; peak of a child %.0f MB.\n" % (
            number(one.depth), one.fanout, one.before / 1e6, one.after / 1e6,
            number((one.after - one.before) / one.count), one.peak))


def orientation(chosen):
    lines = [("Path", "NanoMDM 0.9 with PostgreSQL 15, another machine")]
    lines += [(path.title, NANOMDM[path.name]) for path in chosen if path.name in NANOMDM]
    return rows(lines) if len(lines) > 1 else ""
