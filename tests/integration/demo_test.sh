#!/usr/bin/env bash
# What deploy/demo makes of how its parts end: with stand-ins for the programs, in a tree of its own.
set -uo pipefail
cd "$(dirname "$0")/../.."
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/deploy" "$tree/build/bin"
cp deploy/demo "$tree/deploy/"
stand_in() {  # PATH, its script on standard input
  { echo '#!/usr/bin/env bash'; cat; } >"$tree/$1"
  chmod +x "$tree/$1"
}
: | stand_in deploy/dependencies
: | stand_in deploy/build
stand_in build/bin/remora-hub <<'EOF'
[ "$1" = --hash-token ] && { echo 00; exit; }
while [ $# -gt 0 ]; do [ "$1" = --ports-file ] && echo '{"grpc_port": 1, "http_port": 2}' >"$2"; shift; done
[ -z "${HUB_DIES:-}" ] || exit 9
exec sleep 600
EOF
stand_in build/bin/remora-agent <<'EOF'
case "$* " in
  *edf:*) [ -z "${REPLAY_ENDS:-}" ] || exit "$REPLAY_ENDS" ;;
  *cord*) [ -z "${AGENT_ENDS:-}" ] || exit "$AGENT_ENDS" ;;
esac
exec sleep 600
EOF
stand_in build/bin/remora <<'EOF'
case "$*" in *"--as theatre"*) exec sleep 600 ;; esac
sleep 0.5
echo "{\"theatres\":${THEATRES:-3},\"records\":9,\"acknowledged\":${ACKNOWLEDGED:-2},\"answers\":${ANSWERS:-1}}"
exit "${READER_ENDS:-0}"
EOF

passed=0 failed=0
# expect CODE WORDS NAME [VARIABLE=VALUE...] -- ARGUMENTS...: the exit code, words in what is said,
# and that the last line on standard output is the reader's summary (--headless).
expect() {
  local code=$1 words=$2 name=$3 got=0 variables=()
  shift 3
  while [ "$1" != -- ]; do variables+=("$1"); shift; done
  shift
  env "${variables[@]}" "$tree/deploy/demo" --port 0 "$@" >"$tree/out" 2>"$tree/err" || got=$?
  if [ "$got" != "$code" ] || ! grep -qF -- "$words" "$tree/out" "$tree/err"; then
    echo "FAIL $name: exit code $got, expected $code with '$words'"; cat "$tree/out" "$tree/err"
    failed=$((failed + 1))
  elif [ "$1" = --headless ] && ! tail -n 1 "$tree/out" | grep -q '^{"theatres".*}$'; then
    echo "FAIL $name: the last line is no summary"; cat "$tree/out"
    failed=$((failed + 1))
  else
    passed=$((passed + 1))
  fi
}
touch "$tree/file.edf" "$tree/file.plan"
replay=(--replay "$tree/file.edf" --plan "$tree/file.plan")
expect 0 '"answers":1' 'all is well' -- --headless --seconds 60
expect 1 'did not follow three theatres' 'a theatre is missing' THEATRES=2 -- --headless --seconds 20
expect 1 'no alert was acknowledged' 'nobody acknowledged' ACKNOWLEDGED=0 -- --headless --seconds 60
expect 1 'nothing was answered' 'nobody answered' ANSWERS=0 -- --headless --seconds 60
expect 0 '"answers":0' 'too short for an answer' ANSWERS=0 ACKNOWLEDGED=0 -- --headless --seconds 20
expect 1 'agent-or2 has stopped with exit code 7' 'an agent died' AGENT_ENDS=7 -- --headless --seconds 60
expect 1 'agent-or2 has stopped with exit code 0' 'an agent ended too soon' AGENT_ENDS=0 -- --headless --seconds 60
expect 1 'hub has stopped with exit code 9' 'the hub died' HUB_DIES=1 -- --headless --seconds 60
expect 1 '"theatres":3' 'the reader failed' READER_ENDS=5 -- --headless --seconds 60
expect 0 'replay finished' 'the recording ended' REPLAY_ENDS=0 -- --headless --seconds 60 "${replay[@]}"
expect 1 'agent-or3 has stopped with exit code 1' 'the replay failed' REPLAY_ENDS=1 -- --headless --seconds 60 "${replay[@]}"
expect 0 'replay finished' 'the recording ended, with pages' REPLAY_ENDS=0 -- --seconds 6 "${replay[@]}"
expect 1 'agent-or2 has stopped' 'an agent died, with pages' AGENT_ENDS=7 -- --seconds 6
# Whatever it started has ended with it: all ran in its tree.
left=0
for process in /proc/[0-9]*; do
  [ "$(readlink "$process/cwd" 2>/dev/null)" != "$tree" ] || left=$((left + 1))
done
if [ $left = 0 ]; then passed=$((passed + 1)); else echo "FAIL $left programs are left behind"; failed=$((failed + 1)); fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
