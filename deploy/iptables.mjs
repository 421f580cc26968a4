// Runs while the image is built: a host in a container sets the machine's firewall with what its image has.
import { execFileSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'

const apt = (...words) =>
  execFileSync('apt-get', words, { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })

if (existsSync('/usr/sbin/iptables-save')) {
  console.log('iptables is there')
} else if (existsSync('/usr/bin/apt-get')) {
  apt('update')
  apt('install', '--yes', '--no-install-recommends', 'iptables')
  rmSync('/var/lib/apt/lists', { recursive: true, force: true })
} else {
  console.log('without iptables: a host of this image shows ISOLATION_OFF')
}
