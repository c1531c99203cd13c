echo @@os_release; cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release 2>/dev/null
for f in debian_version redhat-release oracle-release SuSE-release alpine-release release; do
if [ -f /etc/$f ]; then echo "@@file $f"; cat /etc/$f; fi
done
