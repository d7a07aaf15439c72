/** Name and version of the program, as runs record them. */
import description from '../../../package.json' with { type: 'json' }

export const PROGRAM_NAME = 'ConvScope'
export const PROGRAM_VERSION: string = description.version
/** E.g. "ConvScope 0.1.0". */
export const PROGRAM = `${PROGRAM_NAME} ${PROGRAM_VERSION}`
/** E.g. "linux x64, Node 24.21.0". */
export const PLATFORM = `${process.platform} ${process.arch}, Node ${process.versions.node}`
