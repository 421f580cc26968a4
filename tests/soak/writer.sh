# Plays a script: `o N` and `e N` write the next N bytes of `out` or `err` to their stream in one piece, `p N` waits N
# microseconds, `w NAME` waits for a file of that name. Then it ends at once.
cd /data/game || exit 1
exec 4<out 5<err 6<script
while read -r what n <&6; do
  case "$what" in
    o) dd bs="$n" count=1 <&4 2>/dev/null ;;
    e) dd bs="$n" count=1 <&5 >&2 2>/dev/null ;;
    p) usleep "$n" ;;
    w) while [ ! -e "$n" ]; do usleep 20000; done ;;
  esac
done
