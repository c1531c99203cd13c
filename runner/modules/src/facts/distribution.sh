if [ -r /etc/os-release ]; then files="$files s=os_release /etc/os-release"
elif [ -r /usr/lib/os-release ]; then files="$files s=os_release /usr/lib/os-release"
fi
for f in debian_version redhat-release oracle-release SuSE-release alpine-release release; do
if [ -f /etc/$f ] && [ -r /etc/$f ]; then files="$files s=file:$f /etc/$f"; fi
done
