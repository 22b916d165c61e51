import { modelError } from '../errors.js'

/** Milliseconds without an answer after which the hub counts as out of reach. */
const patience = 20_000

/** Where models come from. HF_ENDPOINT names a mirror. */
export function endpoint(): string {
  return (process.env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '')
}

/**
 * Asks the hub; redirects are followed, and the token of HF_TOKEN goes to the hub alone, not to where it redirects. Throws M002 when there is no answer, or none
 * that helps.
 */
export async function request(id: string, url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  if (/^(1|on|yes|true)$/i.test(process.env.HF_HUB_OFFLINE ?? '')) throw offline(id, 'HF_HUB_OFFLINE is set')
  if (!URL.canParse(endpoint())) {
    throw modelError('M002', `HF_ENDPOINT is not an address: ${endpoint()}`, 'write it as "https://huggingface.co"')
  }
  const hub = new URL(endpoint()).origin
  let target = url
  for (let hops = 0; hops < 8; hops++) {
    const token = new URL(target).origin === hub && process.env.HF_TOKEN
    const response = await answer(id, target, { ...headers, ...(token && { authorization: `Bearer ${token}` }) })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || response.status === 304 || !location) return checked(id, response)
    await response.body?.cancel()
    if (!URL.canParse(location, target)) throw offline(id, `it redirects to ${location}, which is not an address`)
    target = new URL(location, target).href
  }
  throw offline(id, 'the hub redirects without end')
}

/** The reasons of `fetch` lie one inside the other. */
export function causeOf(thrown: unknown): string {
  let inner = thrown
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause
  if (!(inner instanceof Error)) return String(inner)
  const code = (inner as NodeJS.ErrnoException).code
  return inner.name === 'TimeoutError' ? `no answer within ${patience / 1000} s` : inner.message || code || inner.name
}

async function answer(id: string, url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  const control = new AbortController()
  const timer = setTimeout(() => control.abort(new DOMException('', 'TimeoutError')), patience)
  try {
    return await fetch(url, { headers: { 'user-agent': 'smcc', ...headers }, redirect: 'manual', signal: control.signal })
  } catch (thrown) {
    throw offline(id, causeOf(thrown))
  } finally {
    clearTimeout(timer)
  }
}

async function checked(id: string, response: Response): Promise<Response> {
  const { status } = response
  if (response.ok || status === 416) return response
  await response.body?.cancel()
  if (status === 401 || status === 403) {
    throw modelError(
      'M002',
      `the hub does not hand out ${id} (${status}): there is no such model, or it is private or needs a licence to be accepted`,
      'check the name; for a private or gated model set HF_TOKEN',
    )
  }
  if (status === 404) throw modelError('M002', `the hub has no model ${id}, or not that file of it`, 'check the name on the hub')
  throw offline(id, `it answers ${status}`)
}

function offline(id: string, reason: string) {
  return modelError(
    'M002',
    `${id} cannot be fetched from the hub: ${reason}`,
    'connect and try again, or name a folder or .gguf file on the disk; "tiny" and the classifier "tiny-sentiment" need no download',
  )
}
