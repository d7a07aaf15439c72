/**
 * One line on stderr that is rewritten in place on a terminal; elsewhere a new line for each step and each tenth.
 * Everything the bootstrap says goes to stderr: stdout belongs to the program.
 * @param {NodeJS.WritableStream & { isTTY?: boolean, columns?: number }} [stream]
 */
export function createProgress(stream = process.stderr) {
  const terminal = Boolean(stream.isTTY)
  let shown = ''
  let lastStep = ''

  function clear() {
    if (terminal && shown) stream.write('\r\x1b[2K')
    shown = ''
  }

  return {
    /** @param {string} label @param {number} [done] @param {number} [total] both in `unit` */
    update(label, done, total, unit = '') {
      const counted = total ? `${label} ${Math.min(done, total)}/${total}${unit}` : label
      if (terminal) {
        if (counted === shown) return
        clear()
        stream.write(counted.slice(0, (stream.columns ?? 80) - 1))
        shown = counted
        return
      }
      const step = `${label} ${total ? Math.floor((10 * Math.min(done, total)) / total) : ''}`
      if (step === lastStep) return
      lastStep = step
      stream.write(`${counted}\n`)
    },
    /** A line that stays. */
    say(line) {
      clear()
      stream.write(`${line}\n`)
    },
    clear,
  }
}
