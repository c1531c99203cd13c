echo @@virtual; systemd-detect-virt 2>/dev/null
if [ -f /.dockerenv ]; then echo docker; fi
if [ -f /run/.containerenv ]; then echo podman; fi
if [ -d /proc/vz ] && [ ! -d /proc/lve ]; then echo openvz; fi
if [ -r /sys/class/dmi/id/product_name ]; then v=; read v </sys/class/dmi/id/product_name; echo "product=$v"; fi
if [ -r /sys/class/dmi/id/sys_vendor ]; then v=; read v </sys/class/dmi/id/sys_vendor; echo "vendor=$v"; fi
if grep '^flags.* hypervisor' /proc/cpuinfo >/dev/null 2>&1; then echo hypervisor; fi
