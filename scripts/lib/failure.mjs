/** A failure that the user can do something about: what happened, and what to do. */
export class Failure extends Error {
  /**
   * @param {string} code short name of the kind, such as 'offline' or 'disk-full'
   * @param {string} message what happened
   * @param {string} [remedy] what to do about it
   */
  constructor(code, message, remedy) {
    super(message)
    this.name = 'Failure'
    this.code = code
    this.remedy = remedy
  }
}

/** Prints a failure the way a person reads it; a programming error keeps its stack. */
export function printFailure(error) {
  if (error instanceof Failure) {
    console.error(`\nConvScope: ${error.message}`)
    if (error.remedy) console.error(`  ${error.remedy.split('\n').join('\n  ')}`)
  } else {
    console.error(error)
  }
}
