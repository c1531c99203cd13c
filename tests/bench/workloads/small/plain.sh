# The same twenty-five lines. @DIR@, @NAME@ and @SITE@ are the host's own.
/bin/true
uname -s
echo $((6 * 7))
id -un
echo @NAME@
test -r /etc/passwd && echo readable
/bin/true
date +%Y
echo a b c | wc -w
ls /usr
hostname
for n in 1 2 3; do echo $n; done
/bin/true
cat /etc/hostname
pwd
echo word; echo problem >&2
uname -m
echo site @SITE@
umask 077; umask
/bin/true
id -g
A=1; echo value $A
date +%s
/bin/true
echo @NAME@ > @DIR@/done
