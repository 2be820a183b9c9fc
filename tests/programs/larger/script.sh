#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What a person does at a shell, in one go, in an empty folder: the same transcript natively, in the
# simulator and on the Pi. All is BusyBox's. Nothing here depends on the time, on numbers of
# processes, or on the order in which a folder is listed.
umask 022
LC_ALL=C
export LC_ALL

section() {
    printf '\n-- %s --\n' "$*"
}

section words and numbers
name="a b"
set -- one "two words" '' "$name"
echo "$#: $1|$2|$3|$4"
shift 2
echo "$#: $*"
echo "$((7 * 6)) $((1 << 10)) $((17 % 5)) $((-7 / 2)) $((3 > 2 ? 10 : 20))"
path=/usr/share/doc/file.tar.gz
echo "${path##*/} ${path%/*} ${path%%.*} ${#path} ${unset:-default} ${name:+set}"
printf '%s-%03d-%x-%c\n' text 7 255 z
echo "$(echo nested "$(echo inner)")"

section tests
for file in /dev/null /none .; do
    if [ -c "$file" ]; then
        echo "$file: characters"
    elif [ -d "$file" ]; then
        echo "$file: folder"
    else
        echo "$file: nothing"
    fi
done
case abc.txt in
    *.c) echo "C" ;;
    a*.txt | b*) echo "text" ;;
    *) echo "other" ;;
esac
[ 3 -lt 10 ] && [ abc != abd ] && echo "both"
! false && echo "not false"

section loops and functions
factorial() {
    if [ "$1" -le 1 ]; then
        echo 1
    else
        echo $(($1 * $(factorial $(($1 - 1)))))
    fi
}
i=1
while [ $i -le 5 ]; do
    printf '%s;' "$(factorial $i)"
    i=$((i + 1))
done
echo
for i in 1 2 3 4 5 6; do
    [ $i -eq 2 ] && continue
    [ $i -eq 5 ] && break
    echo "i=$i"
done
local_test() {
    local name=inside
    echo "$name"
    return 3
}
local_test
echo "returned $?, $name"

section here documents
cat <<END
expanded: $name $((1 + 1))
END
cat <<'END'
not expanded: $name $((1 + 1))
END
tr a-z A-Z <<END
	shouted
END

section files
mkdir -p tree/one/two tree/three
seq 1 20 >tree/numbers
echo "hello" >tree/one/hello.txt
echo "world" >tree/one/two/world.txt
cp tree/one/hello.txt tree/three/copy.txt
ln -s ../one/hello.txt tree/three/link
ln tree/numbers tree/again
cat tree/three/link tree/one/two/world.txt
readlink tree/three/link
stat -c '%n %s %h %a' tree/numbers tree/one/hello.txt
chmod 640 tree/again
stat -c '%a' tree/numbers
find tree | sort
find tree -name '*.txt' -exec wc -c {} \; | sort
find tree -type l
find tree -type f | sort | xargs sha256sum
mv tree/three/copy.txt tree/moved
rm -r tree/three
ls tree
du -a tree >/dev/null && echo "du is content"

section text
sed -n '5,7p' tree/numbers
sed -e 's/1/one/g' -e '/one$/d' tree/numbers | head -4
sed '1!G;h;$!d' tree/numbers | tail -3
grep -c 1 tree/numbers
grep -n '^1[0-3]$' tree/numbers
sort -rn tree/numbers | head -3
printf 'b 2\na 1\nc 3\na 1\n' | sort | uniq -c
printf 'x:y:z\n1:2:3\n' | cut -d: -f2,3
paste -d, tree/numbers tree/numbers | tail -2
printf 'one two three\n' | tr ' ' '\n' | nl
printf 'abc\n' | rev
seq 1 100 | awk 'BEGIN { print "awk" }
    { sum += $1; if ($1 % 25 == 0) print $1, sum }
    END { printf "%d lines, mean %.2f\n", NR, sum / NR }'
awk -F: '{ count[$2]++ } END { for (key in count) print key, count[key] | "sort" }' <<END
a:red
b:blue
c:red
END
echo 'scale=0; 2^10' | bc 2>/dev/null || echo "no bc"
expr 12 \* 12
diff tree/numbers tree/again && echo "no difference"
sed 's/7/seven/' tree/numbers >changed
diff tree/numbers changed

section archives and sums
tar -cf tree.tar tree
tar -tf tree.tar | sort
mkdir out
tar -xf tree.tar -C out
diff -r tree out/tree && echo "unpacked the same"
gzip -c tree/numbers | gunzip | cmp - tree/numbers && echo "gzip there and back"
seq 1 5000 >many
gzip -9 many && ls many.gz && gunzip many.gz && wc many
md5sum many
sha256sum many
sha1sum <many
dd if=many of=part bs=100 skip=3 count=2 2>/dev/null
od -An -tx1 part | head -2
base64 part | head -1
tail -c 20 many | hexdump -C | head -2

section pipes and redirection
echo "to stderr" 2>&1 >/dev/null >&2
{ echo out; echo err >&2; } 2>both >both.out
cat both both.out
seq 1 1000 | tee copy | tail -1
wc -l <copy
yes | head -3 | tr '\n' ','
echo
(cd tree && pwd | sed 's/.*\///')
exec 3>third
echo "by descriptor 3" >&3
exec 3>&-
cat third
false | true
echo "status of a pipe: $?"
mkfifo fifo
cat fifo >from-fifo &
echo "through a fifo" >fifo
wait
cat from-fifo

section processes
sleep 100 &
sleeper=$!
ps | awk -v pid=$sleeper '$1 == pid { print "the sleeper is there" }'
kill $sleeper
{ wait $sleeper; } 2>/dev/null
echo "status $?"
ps | awk -v pid=$sleeper '$1 == pid { print "the sleeper is still there" }'
(exit 7)
echo "status $?"
sh -c 'kill -9 $$'
echo "status $?"
for i in 1 2 3; do
    (exit $i) &
done
wait
echo "all have ended"
none-of-this 2>/dev/null
echo "status $?"

section traps
(
    trap 'echo "caught USR1"' USR1
    trap 'echo "at the end"' EXIT
    sh -c 'kill -USR1 $PPID'
    echo "after it"
)
(
    trap '' TERM
    sh -c 'kill -TERM $PPID'
    echo "not impressed"
)
(
    set -e
    false
    echo "never said"
)
echo "set -e: $?"

section reading
while IFS=, read -r first second rest; do
    echo "$first / $second / $rest|"
done <<END
a,b,c,d
 spaces , kept,
END
printf 'k=%s\n' $(printf 'p q r') | while read -r line; do echo "<$line>"; done
eval 'value=evaluated' && echo "$value"
alias greet='echo hello' && unalias greet
env -i A=1 sh -c 'echo "$A$B"'
basename /a/b.c .c
dirname /a/b.c
test -e tree/numbers && rm -rf tree out && echo $(ls | sort)
