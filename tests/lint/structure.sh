#!/usr/bin/env bash
# The layout holds: every folder says what it is, no file has grown a second job, dependencies point one way.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
status=0
complain() { echo "$1"; status=1; }
for folder in base isolation cgroups netns images hvm-sandbox runtime tests examples; do
  [[ -f $folder/README.md ]] || complain "$folder has no README.md"
done
while read -r lines file; do
  ((lines <= 600)) || complain "$file has $lines lines: what is its second job?"
done < <(git ls-files '*.cpp' '*.h' | xargs wc -l | grep -v ' total$')
for folder in isolation cgroups netns images hvm-sandbox; do
  others=$(printf '%s\n' isolation cgroups netns images hvm-sandbox runtime | grep -v "^$folder$" | paste -sd'|')
  while read -r line; do complain "forbidden: $line"; done < <(git grep -nE "#include \"(\.\./)*($others)/" -- "$folder/")
done
while read -r line; do complain "forbidden: $line"; done < <(git grep -nE '#include "(isolation|cgroups|netns|images|hvm-sandbox|runtime)/' -- base/)
exit $status
