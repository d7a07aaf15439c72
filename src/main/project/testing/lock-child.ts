/**
 * Tries to lock the folder of its first argument whenever its stdin says so, tells the outcome on stdout, and holds the
 * lock until its stdin ends or it is killed.
 */
import { writeSync } from 'node:fs'
import { ConvScopeError } from '../../../shared/errors.ts'
import { acquireLock } from '../lock.ts'

const folder = process.argv[2]
if (folder === undefined) throw new Error('a folder is needed')
writeSync(1, 'ready\n')
process.stdin.on('data', () => {
  acquireLock(folder).then(
    ({ takenOver }) => writeSync(1, takenOver ? 'taken over\n' : 'locked\n'),
    (error: unknown) => writeSync(1, `${error instanceof ConvScopeError ? error.code : String(error)}\n`),
  )
})
process.stdin.once('end', () => process.exit(0))
