# SPDX-License-Identifier: MIT
#
# Work for the larger shells, which all have arrays and arithmetic: primes, a sort, words counted,
# pipes, functions that call themselves, jobs in the background. bash, zsh and mksh say the same.
[ -n "$ZSH_VERSION" ] && setopt ksh_arrays sh_word_split

echo "primes:"
sieve() {
    typeset limit=$1 i=2 j
    typeset composite
    composite=()
    while ((i <= limit)); do
        if [ -z "${composite[$i]}" ]; then
            echo "$i"
            j=$((i * i))
            while ((j <= limit)); do
                composite[$j]=1
                j=$((j + i))
            done
        fi
        i=$((i + 1))
    done
}
echo $(sieve 100)

echo "sorted:"
numbers=(31 4 15 92 6 53 58 97 9 32)
i=1
while ((i < ${#numbers[@]})); do
    j=$i
    while ((j > 0)); do
        k=$((j - 1))
        if ((${numbers[$k]} > ${numbers[$j]})); then
            swap=${numbers[$j]}
            numbers[$j]=${numbers[$k]}
            numbers[$k]=$swap
        fi
        j=$k
    done
    i=$((i + 1))
done
echo "${numbers[@]}"

echo "hanoi:"
moves=0
hanoi() {
    if (($1 > 0)); then
        hanoi $(($1 - 1)) $2 $4 $3
        moves=$((moves + 1))
        hanoi $(($1 - 1)) $4 $3 $2
    fi
}
hanoi 7 a c b
echo "$moves moves"

echo "words:"
text="the cat and the dog and the bird"
for word in $text; do
    echo "$word"
done | sort | uniq -c | sort -k1,1nr -k2 | while read -r count word; do
    echo "$word $count"
done

echo "patterns:"
[[ file.tar.gz == *.gz ]] && echo "ends in .gz"
value=abcdefgh
echo "${value:2:3} ${value/c/-} ${#value}"

echo "jobs:"
pids=()
for i in 1 2 3 4; do
    (exit $((i * 10))) &
    pid=$!
    pids[$i]=$pid
done
for i in 1 2 3 4; do
    wait "${pids[$i]}"
    echo "status $?"
done
trap 'echo "caught"' USR1
kill -USR1 $$
echo "sum: $(seq 1 1000 | { sum=0; while read -r n; do sum=$((sum + n)); done; echo $sum; })"
exit 42
