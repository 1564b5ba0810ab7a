# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # root is the caller's
# lib.sh - what the scripts share; sourced, not run
#
# Needs $root, the top of the source tree.

say()
{
	printf '%s\n' "$*"
}

# A heading, so that a long output can be found through, and what took how long.
step()
{
	printf '\n== %s\n' "$*${SECONDS:+ ($((SECONDS / 60)) min $((SECONDS % 60)) s after the start)}"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# quietly LOG COMMAND...: only if the command fails is its output of interest.
quietly()
{
	local log=$1

	shift
	mkdir -p "${log%/*}"
	if ! "$@" >"$log" 2>&1 </dev/null; then
		tail -n 40 "$log" >&2
		printf '%s: failed: %s\n(the whole output is in %s)\n' "${0##*/}" "$*" "$log" >&2
		return 1
	fi
}

# build FOLDER CMAKE-OPTION...: configure if that is new, and compile.
build()
{
	local folder=$1

	shift
	quietly "$folder/configure.log" cmake -S "$root" -B "$folder" -G Ninja "$@" &&
		quietly "$folder/build.log" cmake --build "$folder"
}
