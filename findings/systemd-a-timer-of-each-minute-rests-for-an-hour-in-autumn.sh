#!/usr/bin/env bash
# systemd 252 (Debian 12): OnCalendar=minutely does nothing for an hour of one night in autumn, where the zone has summer
# time.
#
# Of the hour that comes twice only the first one is known: after 02:59 summer time the next time is 03:00 winter time, which
# is 61 minutes later, for `minutely`, `*:0/15` and `hourly` alike. One would take them for intervals. What beats, renews
# or watches by such a timer on a machine with local time is silent for an hour, and a panel calls it offline. In spring a
# daily time within the hour that is left out (02:30) is not moved either: that day has none. systemd-analyze asks the
# function that timers ask.
# Write the zone into the timer (`minutely UTC`), or use OnUnitActiveSec.
# Seen on 2026-11-30. Needs Debian's systemd and tzdata. Exits with 1 when the behaviour has changed.
set -euo pipefail
command -v systemd-analyze >/dev/null || { echo "Needs Debian's systemd." >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

times() { # from, how many, expression
  TZ=UTC systemd-analyze calendar --base-time="$1" --iterations="$2" "$3" |
    sed -n -E 's/.*(Next elapse|Iter\. #[0-9]+|\(in UTC\)): ... [0-9]{4}-([0-9-]+ [0-9:]{5}):00 UTC/\2/p' | paste -sd, | sed 's/,/, /g'
}
autumn='2026-10-25 00:58:00 UTC'
{
  echo "minutely: $(times "$autumn" 3 'minutely Europe/Berlin')"
  echo "*:0/15: $(times "$autumn" 3 '*:0/15 Europe/Berlin')"
  echo "minutely UTC: $(times "$autumn" 3 'minutely UTC')"
  echo "daily in spring: $(times '2026-03-27 12:00:00 UTC' 3 '*-*-* 02:30 Europe/Berlin')"
} | tee "$folder/seen"
cat >"$folder/expected" <<'OUTPUT'
minutely: 10-25 00:59, 10-25 02:00, 10-25 02:01
*:0/15: 10-25 02:00, 10-25 02:15, 10-25 02:30
minutely UTC: 10-25 00:59, 10-25 01:00, 10-25 01:01
daily in spring: 03-28 01:30, 03-30 00:30, 03-31 00:30
OUTPUT
diff "$folder/expected" "$folder/seen" || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'a timer of each minute rests for an hour when the clocks are put back'
