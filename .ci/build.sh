# Sourced by ./vmm, ./test.sh and .ci/run with $root set: where the binary is, whether it is fresh, how it is built.
binary=$root/artifacts/publish/Vmm.Cli/release_linux-x64/vmm
stamp=$root/artifacts/vmm.stamp
build_log=$root/artifacts/vmm-build.log
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1

# No file and no folder (so no deletion either) of what ships has changed since the last build began.
is_fresh() {
  [ -x "$binary" ] && [ -e "$stamp" ] || return 1
  [ -z "$(find "$root"/Vmm.*/ "$root"/Directory.*.props "$root"/global.json \
    \( -name bin -o -name obj \) -prune -o ! -name '.*' -newer "$stamp" -print -quit)" ]
}

need_tools() {
  if ! command -v dotnet >/dev/null; then
    echo "vmm: the .NET 10 SDK is needed to build; see https://dotnet.microsoft.com/download" >&2
    return 1
  fi
  if ! command -v clang >/dev/null && ! command -v gcc >/dev/null; then
    echo "vmm: a linker is needed to build the native binary: apt-get install gcc zlib1g-dev" >&2
    return 1
  fi
}

# Publishes the binary; the compiler's output goes to $build_log and, when it fails, its errors to the screen.
publish_vmm() {
  need_tools || return 1
  mkdir -p "$root/artifacts"
  # Two builds at once would disturb each other; the second one finds the first one's result.
  exec 9>"$root/artifacts/vmm.lock"
  flock 9
  if is_fresh; then
    exec 9>&-
    return 0
  fi
  echo "vmm: building the native binary (about a minute; log: artifacts/vmm-build.log) ..."
  touch "$stamp.new"
  # A running vmm keeps its own file; writing into it would fail.
  rm -f "$binary" "$stamp"
  # Analyzers run when ./test.sh builds the solution; the native compiler has its own, which run here.
  if ! dotnet publish "$root/Vmm.Cli/Vmm.Cli.csproj" -c Release -r linux-x64 -p:RunAnalyzers=false --nologo -v minimal >"$build_log" 2>&1 9>&-; then
    grep -E 'error' "$build_log" | sort -u | head -n 20 || tail -n 20 "$build_log"
    echo "vmm: the build failed; the whole log is in $build_log"
    return 1
  fi
  mv "$stamp.new" "$stamp"
  exec 9>&-
}
