/** Requests on their way into the simulated account and back: slow, cut, lost, late or answered from long ago. */
import type { Hono } from 'hono';
import type { SandboxEnv } from '../../../src/sandbox/fault-middleware.ts';
import { keyId } from '../../../src/sandbox/account-key.ts';
import type { KeyId } from '../../../src/core/key.ts';
import { createRandom } from '../../../src/sandbox/random.ts';
import type { Fetch, Incoming, Outgoing } from '../../../src/tinfoil/transport.ts';
import type { Chronicle } from './chronicle.ts';
import type { EndpointGroup, NetworkTrouble } from './plan.ts';
import type { Life } from './life.ts';
import type { Scheduler } from './scheduler.ts';

export interface NetworkWindow {
  readonly endpoint: EndpointGroup;
  readonly trouble: NetworkTrouble;
  readonly chance: number;
}

export interface NetworkOptions {
  readonly seed: number;
  readonly api: Hono<SandboxEnv>;
  readonly scheduler: Scheduler;
  readonly chronicle: Chronicle;
  /** Those that are open now. */
  readonly windows: ReadonlySet<NetworkWindow>;
  /** Called as a list is about to be read. */
  readonly onList: () => void;
  /** What a list says instead. */
  readonly alter: (list: string) => string;
  /** Whether this change is to take effect but not be answered. */
  readonly isCut: () => boolean;
  /** Whether the disk holds the intent to make this change, which is not settled yet. */
  readonly intended: (key: KeyId, to: string | null) => boolean;
  /** Which part of the account's keys a list lacks; null: it is not as the account is in another way. */
  readonly lacking: (list: string) => number | null;
}

export interface Network {
  /** For one life of the program. */
  fetchFor(life: Life): Fetch;
  /** The request that is in the account at this moment. */
  readonly current: number | null;
}

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** The body breaks off after this. */
  readonly broken: boolean;
  readonly asOf: number;
  /** It says the truth of then, as far as can be seen of a list. */
  readonly told: boolean;
  readonly lacks: number;
  /** Keys in it seem to be others than they are. */
  readonly isAltered: boolean;
}

export function createNetwork(options: NetworkOptions): Network {
  const { seed, api, scheduler, chronicle, windows, intended, lacking, onList, alter, isCut } = options;
  const earlier = new Map<string, Answer>();
  let count = 0;
  let current: number | null = null;

  async function enter(n: number, url: string, { method, headers, body }: Outgoing): Promise<Answer> {
    // Changes come one at a time; of reads nobody asks.
    if (isChange(method, pathOf(url))) current = n;
    const asOf = scheduler.now();
    try {
      return await scheduler.during(
        (async () => {
          const response = await api.request(url, { method, headers: { ...headers }, body });
          const { text: whole, broken } = await readAll(response);
          const list = method === 'GET' && pathOf(url) === '/api/keys';
          const text = list && response.ok && !broken ? alter(whole) : whole;
          const lacks = list ? lacking(text) : 0;
          const told = response.ok && !broken && lacks === 0;
          return {
            status: response.status,
            headers: new Map(response.headers),
            text,
            broken,
            asOf,
            told,
            lacks: lacks ?? 0,
            isAltered: text !== whole,
          };
        })(),
      );
    } finally {
      if (current === n) current = null;
    }
  }

  const fetchFor = (life: Life): Fetch => {
    return async (url, outgoing) => {
      const { method, body, signal } = outgoing;
      const path = pathOf(url);
      const changes = isChange(method, path);
      await life.point('before request', changes);
      const n = (count += 1);
      const random = createRandom(`${String(seed)}/request ${String(n)}`);
      const aim = aimOf(method, url, body);
      const onDisk = aim.key !== null && intended(aim.key, aim.to);
      chronicle.note({ kind: 'asked', n, run: life.run, method, path, ...aim, intended: onDisk });
      const answered = (status: number | string, asOf: number | null, lacks = 0, isAltered = false): void =>
        chronicle.note({ kind: 'answered', n, run: life.run, path, status, asOf, lacking: lacks, isAltered });
      const fail = (code: string): never => {
        answered(code, null);
        throw Object.assign(new Error(code), { code });
      };
      const cut = changes && isCut();
      const trouble = cut
        ? 'reset after'
        : [...windows].find((one) => concerns(one.endpoint, method, path) && random.chance(one.chance))
            ?.trouble;
      const travel = (longest: number): Promise<void> =>
        scheduler.sleep(random.integer(3, longest), signal, life);
      await travel(trouble === 'slow' ? 25_000 : 200);
      if (trouble === 'refused') fail('ECONNREFUSED');
      if (trouble === 'reset before') fail('ECONNRESET');
      const stale = trouble === 'stale' && !changes ? earlier.get(method + url + String(body)) : undefined;
      await life.point('before effect', changes);
      if (method === 'GET' && path === '/api/keys') onList();
      const answer = stale ?? (await enter(n, url, outgoing));
      if (!changes && answer.status < 300 && !answer.broken) earlier.set(method + url + String(body), answer);
      await life.point('after effect', changes);
      if (trouble === 'reset after') {
        await travel(200);
        fail('ECONNRESET');
      }
      // Nobody answers until the one who asked has had enough of it.
      if (trouble === 'hang') await scheduler.sleep(86_400_000, signal, life);
      await travel(trouble === 'slow' ? 25_000 : 200);
      answered(answer.status, answer.told ? answer.asOf : null, answer.lacks, answer.isAltered);
      await life.point('after answer', changes);
      return incoming(answer);
    };
  };

  return {
    fetchFor,
    get current() {
      return current;
    },
  };
}

async function readAll(response: Response): Promise<{ text: string; broken: boolean }> {
  const reader = (response.body ?? new Blob([]).stream()).getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array };
      if (done) return { text, broken: false };
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return { text, broken: true };
  }
}

function incoming({ status, headers, text, broken }: Answer): Incoming {
  return {
    status,
    ok: status >= 200 && status < 300,
    headers: { get: (name) => headers.get(name.toLowerCase()) ?? null },
    body: {
      async *[Symbol.asyncIterator]() {
        if (text !== '') yield new TextEncoder().encode(text);
        if (broken) throw Object.assign(new Error('terminated'), { code: 'UND_ERR_SOCKET' });
      },
      cancel: async () => undefined,
    },
  };
}

/** Without a secret in it. */
function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname.replace(/^\/api\/keys\/(?!rename$).+/, '/api/keys/:key') + search;
}

function isChange(method: string, path: string): boolean {
  return method === 'DELETE' || path === '/api/keys/rename' || (method === 'POST' && path === '/api/keys');
}

function aimOf(method: string, url: string, body: string | null): { key: KeyId | null; to: string | null } {
  if (method === 'DELETE') {
    const secret = decodeURIComponent(new URL(url).pathname.slice('/api/keys/'.length));
    return { key: keyId(secret), to: null };
  }
  if (!url.endsWith('/api/keys/rename')) return { key: null, to: null };
  const { key, name } = JSON.parse(body ?? '{}') as { key: string; name: string };
  return { key: keyId(key), to: name };
}

function concerns(group: EndpointGroup, method: string, path: string): boolean {
  switch (group) {
    case 'any':
      return true;
    case 'reads':
      return !isChange(method, path);
    case 'writes':
      return isChange(method, path);
    case 'list':
      return method === 'GET' && path === '/api/keys';
    case 'usage':
      return /^\/api\/billing\/usage(\?|$)/.test(path);
    case 'key-usage':
      return path.startsWith('/api/billing/usage/key');
    case 'rename':
      return path === '/api/keys/rename';
    case 'delete':
      return method === 'DELETE';
    default:
      return group satisfies never;
  }
}
