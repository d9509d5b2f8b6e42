// How much memory the process has taken at its peak.
import { readFileSync } from 'node:fs';

/**
 * Largest resident memory of this process so far, in bytes. Linux keeps it in /proc: what `resourceUsage` gives there is no
 * less than the peak of the process that started this one, for the kernel carries it over (a server's, a script's).
 */
export function peakResidentBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}
