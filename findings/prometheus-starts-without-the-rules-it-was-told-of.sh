#!/usr/bin/env bash
# Prometheus 2.42 (Debian 12): it starts, says that its configuration is loaded, and has no alert, when a file of `rule_files`
# is not there.
#
# Names are patterns, and one that matches nothing is no error, also when there is nothing of a pattern in it. A mount that
# is missing or a name that was changed leaves Prometheus without one alert: not a word in the log, and
# prometheus_config_last_reload_successful is 1. `promtool check config` does refuse it, but that runs beside the rules,
# not where they are mounted; `promtool test rules` goes through with a warning and tests nothing. Look at the number of
# rules that runs (/api/v1/rules), or have an alert that always fires and is missed elsewhere.
# Seen on 2026-11-30. Needs Debian's prometheus and curl. Exits with 1 when the behaviour has changed.
set -euo pipefail
for program in prometheus promtool curl; do
  command -v $program >/dev/null || { echo "Needs Debian's prometheus and curl." >&2; exit 2; }
done
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; wait || true; rm -rf "$folder"' EXIT
cd "$folder"
echo 'rule_files: [alerts.yml]' >prometheus.yml
cat >alerts.test.yml <<'TEST'
rule_files: [alerts.yml]
tests:
  - input_series: [{ series: up, values: '0x10' }]
    alert_rule_test: [{ eval_time: 5m, alertname: Down, exp_alerts: [] }]
TEST
verdict() { if "$@" >/dev/null 2>&1; then echo passes; else echo fails; fi; }
port=$((20000 + RANDOM % 20000))
prometheus --config.file=prometheus.yml --web.listen-address="127.0.0.1:$port" --storage.tsdb.path=data >log 2>&1 &
server=$!
timeout 60 sh -c "until curl -sf 127.0.0.1:$port/-/ready >ready; do kill -0 $server && sleep 0.2; done"
{
  echo "promtool check config: $(verdict promtool check config prometheus.yml)"
  echo "promtool test rules: $(verdict promtool test rules alerts.test.yml)"
  echo "rules that run: $(curl -s "127.0.0.1:$port/api/v1/rules")"
  curl -s "127.0.0.1:$port/metrics" | grep '^prometheus_config_last_reload_successful'
  echo "lines of the log that name the file: $(grep -c alerts.yml log || true)"
} | tee seen
cat >expected <<'OUTPUT'
promtool check config: fails
promtool test rules: passes
rules that run: {"status":"success","data":{"groups":[]}}
prometheus_config_last_reload_successful 1
lines of the log that name the file: 0
OUTPUT
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'Prometheus runs without the rules that it was told of, and does not say so'
