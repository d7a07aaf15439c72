import * as z from 'zod'

// zod compiles parsers with `new Function` where it may. It finds out by trying when a schema is made, and the page's
// Content-Security-Policy reports the attempt. So this has to run before the first schema is made.
z.config({ jitless: true })
