#!/bin/bash
# Installs what the tests need, builds everything, runs every test project. Last line: N passed, N failed, N skipped.
# ./test.sh [NAME...] runs the projects whose name contains one of the words.
set -u
root=$(dirname "$(readlink -f "$0")")
cd "$root" || exit 1
. "$root/.ci/build.sh"
. "$root/.ci/tools.sh"
results=$root/artifacts/test-results
time_limit=${TEST_TIME_LIMIT:-3600} # seconds for one test project: for one that hangs, on however slow a machine
passed=0 failed=0 skipped=0 tests=''

# timeout has a process group of its own, which Ctrl-C does not reach: it is told, and tells the tests and what they have started.
trap 'kill "$tests" 2>/dev/null; wait; exit 130' INT TERM HUP

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ]
  exit
}

attribute() { # NAME FILE: an attribute of the report's <assembly> element
  grep -o '<assembly [^>]*>' "$2" | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ n += $1 } END { print n + 0 }'
}

run_project() { # FOLDER
  local name report code
  name=$(basename "$1")
  report=$results/$name.xml
  echo
  echo "== $name"
  timeout --kill-after=10 "$time_limit" "$root/artifacts/bin/$name/debug/$name" -noLogo -noColor -result-xml "$report" </dev/null &
  tests=$!
  wait $tests
  code=$?
  if [ ! -s "$report" ]; then
    echo "$name ended with exit code $code before it reported: counted as failed."
    failed=$((failed + 1))
    return
  fi
  local good bad left
  good=$(attribute passed "$report")
  bad=$(($(attribute failed "$report") + $(attribute errors "$report")))
  left=$(attribute skipped "$report")
  if [ "$bad" -eq 0 ] && { [ "$code" -ne 0 ] || [ $((good + left)) -eq 0 ]; }; then
    echo "$name ended with exit code $code after $good passed tests: counted as failed."
    bad=1
  fi
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
}

wanted() { # FOLDER WORDS...
  local name word
  name=$(basename "$1")
  shift
  [ $# -eq 0 ] && return 0
  for word in "$@"; do
    case $name in *"$word"*) return 0 ;; esac
  done
  return 1
}

rm -rf "$results"
mkdir -p "$results"
install_tools
if ! dotnet build Vmm.sln --nologo -v quiet -clp:NoSummary; then
  echo "The build failed: counted as one failed test."
  failed=1
  finish
fi
if ! is_fresh && ! publish_vmm; then
  failed=1
  finish
fi
export VMM_BINARY=$binary
# The same program, one state version ahead.
if wanted tests/Vmm.Cli.Tests "$@"; then
  dotnet build Vmm.Cli --nologo -v quiet -clp:NoSummary -p:NextStateVersion=true -p:RunAnalyzers=false -p:ArtifactsPath="$root/artifacts/next" || failed=$((failed + 1))
  export VMM_NEXT_BINARY=$root/artifacts/next/bin/Vmm.Cli/debug/vmm
fi

for project in tests/*.Tests; do
  wanted "$project" "$@" && run_project "$project"
done

echo
if [ "$skipped" -gt 0 ]; then
  echo "Skipped, and why:"
  sed 's/<test /\n<test /g' "$results"/*.xml 2>/dev/null |
    sed -n 's/^<test .* name="\([^"]*\)" result="Skip".*<reason>\(.*\)/  \1: \2/p' |
    sed 's/<\/reason>.*//; s/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&apos;/'"'"'/g; s/&amp;/\&/g'
fi
finish
