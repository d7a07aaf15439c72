import { rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPageServer } from './page-server.ts'
import { CONTENT_SECURITY_POLICY } from './security-headers.ts'
import { ask, askRaw, MAX_UPLOAD_BYTES, PAGE, servePage, TOKEN } from './testing/fixture.ts'
import type { Question, Served } from './testing/fixture.ts'

let served: Served
let port: number
let admitted: { cookie: string }
beforeAll(async () => {
  served = await servePage()
  port = served.server.port
  admitted = { cookie: served.cookie }
})
afterAll(() => served.close())

const get = (path: string, headers: Record<string, string> = {}) =>
  ask(port, { path, headers: { ...admitted, ...headers } })
const own = () => ({ ...admitted, origin: served.server.origin })

describe('the first visit', () => {
  it('moves the token from the address into a cookie named after the port', async () => {
    const answer = await ask(port, { path: `/?token=${TOKEN}&tab=library` })
    expect(answer.status).toBe(303)
    expect(answer.headers.location).toBe('/?tab=library')
    expect(answer.headers['set-cookie']).toEqual([`convscope-${port}=${TOKEN}; Path=/; HttpOnly; SameSite=Strict`])
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('goes on by itself when another site linked here, where a strict cookie would not follow a redirect', async () => {
    const answer = await ask(port, { path: `/?token=${TOKEN}`, headers: { 'sec-fetch-site': 'cross-site' } })
    expect(answer.status).toBe(200)
    expect(answer.body.toString()).toContain('content="0;url=/"')
  })

  it.each(['//elsewhere.example/', '/\\elsewhere.example/'])('never sends the browser elsewhere: %s', async (path) => {
    const answer = await ask(port, { path: `${path}?token=${TOKEN}` })
    expect(answer.headers.location).toBe('/elsewhere.example/')
  })

  it('may use an address of which only the first use admits', async () => {
    const path = served.server.singleUseAddress().slice(served.server.origin.length)
    const first = await ask(port, { path })
    expect(first.status).toBe(303)
    expect(first.headers['set-cookie']?.[0]).toContain(TOKEN)
    expect((await ask(port, { path })).status).toBe(401)
  })

  it('prints an address that leads there', () => {
    expect(served.server.address).toBe(`http://127.0.0.1:${port}/?token=${TOKEN}`)
  })
})

describe('the page', () => {
  it('comes with the policy and without anything that could be sniffed or framed', async () => {
    const answer = await get('/')
    expect(answer.status).toBe(200)
    expect(answer.body.toString()).toBe(PAGE)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(PAGE.length),
      'cache-control': 'no-cache',
      'content-security-policy': CONTENT_SECURITY_POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    })
    expect(answer.headers['permissions-policy']).toContain('camera=()')
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  })

  it('may use a camera where it shows it live, and a microphone nowhere', async () => {
    for (const [path, camera] of [
      ['/deconvnet/live', 'camera=(self)'],
      ['/deconvnet/live?source=camera', 'camera=(self)'],
      ['/deconvnet', 'camera=()'],
      ['/deconvnet/live/else', 'camera=()'],
      ['/library', 'camera=()'],
    ]) {
      const policy = (await get(path ?? '')).headers['permissions-policy']
      expect(policy, path).toContain(camera)
      expect(policy, path).toContain('microphone=()')
    }
  })

  it('allows nothing inline, evaluated, framed or foreign', () => {
    expect(CONTENT_SECURITY_POLICY).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; " +
        "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )
  })

  it.each([
    ['/library', {}],
    ['/experiments/2026-11-23-a1', {}],
    ['/library/networks/lenet-1.0', { accept: 'text/html,application/xhtml+xml' }],
  ])('is the answer for places inside it, as after a reload: %s', async (path, headers) => {
    const answer = await get(path, headers)
    expect([answer.status, answer.body.toString()]).toEqual([200, PAGE])
  })

  it('caches files whose names change with their contents for good', async () => {
    const answer = await get('/assets/main-1a2b3c.js')
    expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8')
    expect(answer.headers['cache-control']).toBe('private, max-age=31536000, immutable')
  })

  it.each(['/deconvnet?layer=conv2', '/library/networks/mnist-convnet', '/experiments/run.1', '/settings'])(
    'gives the page at its own address %s',
    async (path) => {
      const answer = await get(path)
      expect([answer.status, answer.body.toString()]).toEqual([200, PAGE])
      expect(answer.headers['cache-control']).toBe('no-cache')
    },
  )

  it('answers HEAD without a body', async () => {
    const answer = await ask(port, { method: 'HEAD', path: '/index.html', headers: admitted })
    expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([200, String(PAGE.length), 0])
  })

  it.each([
    '/../secret.html',
    '/assets/../../secret.html',
    '/%2e%2e/secret.html',
    '/..%2fsecret.html',
    '/assets%2f..%2f..%2fsecret.html',
    '/..%5csecret.html',
    '/..\\secret.html',
    '//secret.html',
    '/assets//main-1a2b3c.js',
    '/./index.html%00.png',
    '/%00',
    '/%zz',
    '/.hidden.html',
    '/notes.txt',
    '/assets',
    '/assets/missing',
    '/C:/secret.html',
    '/%2fetc%2fpasswd',
  ])('has nothing at %s', async (path) => {
    const answer = await get(path)
    expect(answer.status).toBe(404)
    expect(answer.body.toString()).not.toContain('outside')
  })
})

describe('an unknown address', () => {
  it('gives a browser the page, which says that there is nothing', async () => {
    const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
    const [page, unknown] = [await get('/'), await get('/typo', headers)]
    expect(unknown.status).toBe(404)
    expect(unknown.headers['content-type']).toBe(page.headers['content-type'])
    expect(unknown.body).toEqual(page.body)
  })
})

describe('artifacts', () => {
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3)

  it('come by their hash, to be kept for good', async () => {
    const bytes = Uint8Array.from({ length: 700_000 }, (_, index) => index % 253)
    const { sha256 } = await served.artifacts.put(bytes)
    const answer = await get(`/artifact/${sha256}`)
    expect(answer.status).toBe(200)
    expect(answer.body.equals(bytes)).toBe(true)
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '700000',
      'cache-control': 'private, max-age=31536000, immutable',
      etag: `"${sha256}"`,
      'content-security-policy': CONTENT_SECURITY_POLICY,
    })
    expect((await get(`/artifact/${sha256}`, { 'if-none-match': `"${sha256}"` })).status).toBe(304)
  })

  it('are pictures only when their first bytes say so, and never a document', async () => {
    const picture = await served.artifacts.put(png)
    const hostile = await served.artifacts.put(Buffer.from('<!doctype html><script>alert(1)</script>'))
    expect((await get(`/artifact/${picture.sha256}`)).headers['content-type']).toBe('image/png')
    const answer = await get(`/artifact/${hostile.sha256}?name=a.html`)
    expect(answer.headers['content-type']).toBe('application/octet-stream')
    expect(answer.headers['content-disposition']).toContain('attachment')
  })

  it.each([
    ['run 1.zip', `attachment; filename="run 1.zip"; filename*=UTF-8''run%201.zip`],
    ['../../etc/passwd', `attachment; filename="_.._etc_passwd"; filename*=UTF-8''_.._etc_passwd`],
    ['a"\r\nX-Evil: 1', `attachment; filename="a___X-Evil_ 1"; filename*=UTF-8''a___X-Evil_%201`],
    ['Ziffer ü.png', `attachment; filename="Ziffer _.png"; filename*=UTF-8''Ziffer%20%C3%BC.png`],
    ['', `attachment; filename="download"; filename*=UTF-8''download`],
  ])('are saved as %j under a clean name', async (name, header) => {
    const { sha256 } = await served.artifacts.put(png)
    const answer = await get(`/artifact/${sha256}?name=${encodeURIComponent(name)}`)
    expect(answer.headers['content-disposition']).toBe(header)
  })

  it('are not found where there are none', async () => {
    const answer = await get(`/artifact/${'0'.repeat(64)}`)
    expect(answer.status).toBe(404)
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'not-found' })
    expect((await get('/artifact/../index.html')).body.toString()).toBe(PAGE)
    expect((await get('/artifact/%2e%2e%2fproject.sqlite')).status).toBe(404)
  })

  it.each([15, 900_000])('that are damaged never arrive whole: %i bytes', async (size) => {
    const { sha256 } = await served.artifacts.put(Buffer.alloc(size, `stored ${size}`))
    const file = served.artifacts.path(sha256)
    await rm(file)
    await writeFile(file, Buffer.alloc(size, 'written by somebody else'))
    const outcome = await get(`/artifact/${sha256}`).then(
      ({ status, body }) => `${status} ${body.toString()}`,
      (error: unknown) => String(error),
    )
    expect(outcome).toMatch(size < 1000 ? /^500 .*"code":"damaged"/ : /aborted/)
  })
})

describe('uploads', () => {
  const put = (body: Question['body'], headers: Record<string, string> = own()) =>
    ask(port, { method: 'PUT', path: '/upload', headers, body })

  it('arrive in the artifact store under their hash', async () => {
    const bytes = Buffer.alloc(300_000, 'abc')
    const answer = await put(bytes)
    expect(answer.status).toBe(200)
    const stored: unknown = JSON.parse(answer.body.toString())
    expect(stored).toEqual({ sha256: (await served.artifacts.put(bytes)).sha256, bytes: 300_000 })
    expect((await put(new Uint8Array())).status).toBe(200)
  })

  it('above the limit are refused, whether they say so or not, and leave nothing', async () => {
    const before = await served.artifacts.list()
    const piece = new Uint8Array(400_000)
    const announced = await put(new Uint8Array(MAX_UPLOAD_BYTES + 1))
    const chunked = await put([piece, piece, piece])
    for (const answer of [announced, chunked]) {
      expect(answer.status).toBe(413)
      expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'too-large' })
    }
    expect(await served.artifacts.list()).toEqual(before)
  })

  it('are refused without the origin of this page', async () => {
    expect((await put(Buffer.from('x'), admitted)).status).toBe(403)
    expect((await put(Buffer.from('x'), { ...admitted, origin: 'http://elsewhere.example' })).status).toBe(403)
    expect((await put(Buffer.from('x'), { origin: served.server.origin })).status).toBe(401)
  })
})

describe('refused requests', () => {
  const elsewhere = () => `http://localhost:${port}`
  it.each<[what: string, question: () => Question, status: number]>([
    ['no cookie', () => ({}), 401],
    ['a wrong token', () => ({ path: `/?token=${'0'.repeat(64)}` }), 401],
    ['an empty token', () => ({ path: '/?token=', headers: admitted }), 401],
    ['a wrong cookie', () => ({ headers: { cookie: `convscope-${port}=${'0'.repeat(64)}` } }), 401],
    ['the cookie of another port', () => ({ headers: { cookie: `convscope-1=${TOKEN}` } }), 401],
    ['half a token', () => ({ headers: { cookie: `convscope-${port}=${TOKEN.slice(1)}` } }), 401],
    ['a foreign Host', () => ({ headers: { ...admitted, host: 'elsewhere.example' } }), 403],
    ['the Host without its port', () => ({ headers: { ...admitted, host: '127.0.0.1' } }), 403],
    ['another name of this machine', () => ({ headers: { ...admitted, host: `${hostname()}.example:${port}` } }), 403],
    ['a foreign Origin', () => ({ headers: { ...admitted, origin: 'http://elsewhere.example' } }), 403],
    ['an Origin of another name', () => ({ headers: { ...admitted, origin: elsewhere() } }), 403],
    ['a null Origin', () => ({ headers: { ...admitted, origin: 'null' } }), 403],
    ['an artifact without a cookie', () => ({ path: `/artifact/${'0'.repeat(64)}` }), 401],
    ['the question for admission without a cookie', () => ({ path: '/admitted', method: 'HEAD' }), 401],
    ['POST', () => ({ method: 'POST', headers: own() }), 405],
    ['DELETE of an artifact', () => ({ method: 'DELETE', path: `/artifact/${'0'.repeat(64)}`, headers: own() }), 405],
    ['OPTIONS', () => ({ method: 'OPTIONS', headers: own() }), 405],
    ['GET of the upload', () => ({ path: '/upload', headers: admitted }), 405],
    ['health for a foreign name', () => ({ path: '/health', headers: { host: 'elsewhere.example' } }), 403],
  ])('%s', async (_what, question, status) => {
    const answer = await ask(port, question())
    expect(answer.status).toBe(status)
    expect(answer.body.toString()).not.toContain(PAGE)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it('the address of a proxy, and one that is none', async () => {
    expect(
      await askRaw(
        port,
        `GET http://elsewhere.example/ HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`,
      ),
    ).toContain(' 400 ')
    expect(await askRaw(port, 'GET / HTTP/1.1\r\n\r\n')).toContain(' 400 ')
  })

  it('says without a token only that it is there', async () => {
    const answer = await ask(port, { path: '/health' })
    expect(JSON.parse(answer.body.toString())).toEqual({ program: 'ConvScope', ready: true })
    expect((await ask(port, { path: '/admitted', method: 'HEAD', headers: admitted })).status).toBe(200)
  })

  it('a port that is taken', async () => {
    const log = { error: () => undefined }
    const again = startPageServer({
      host: '127.0.0.1',
      port,
      token: TOKEN,
      content: served.content,
      rpc: async () => ({ status: 404, headers: {}, body: undefined }),
      log,
    })
    await expect(again).rejects.toMatchObject({
      code: 'conflict',
      remedy: expect.stringContaining('--port') as unknown,
    })
  })
})
