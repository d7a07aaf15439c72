/**
 * Standard output carries the protocol alone. Imported before everything else, this module keeps the real stream for the
 * protocol and sends whatever the program and its libraries print to standard error, which is the log.
 */
const write = process.stdout.write.bind(process.stdout)

/** Writes bytes of the protocol; `done` is called once they are handed to the system. */
export function writeProtocol(bytes: Uint8Array, done: (error?: Error | null) => void): void {
  write(bytes, done)
}

process.stdout.write = process.stderr.write.bind(process.stderr)
