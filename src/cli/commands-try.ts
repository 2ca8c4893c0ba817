import { Option } from 'commander';
import { addCommand, numberOf, type Context } from './command.ts';
import type { DemoFlags } from './demo.ts';
import { parseCount, parsePort, parseSpeed } from './parse.ts';
import type { SandboxFlags } from './sandbox.ts';

/** Without an account: everything on loopback. */
export function addTrying(context: Context): void {
  addCommand(
    context,
    {
      usage: 'sandbox',
      about: 'a simulated Tinfoil account: the Admin API, a Slack receiver, an SMTP inbox',
      needs: [],
      examples: [
        'keywarden sandbox --speed 1440',
        'keywarden sandbox --keys 1000 --variant renameHistory=splits',
      ],
    },
    async ({ world }, flags: SandboxFlags) => {
      const { sandbox } = await import('./sandbox.ts');
      return sandbox(flags, world, world.signal);
    },
    [
      new Option('--seed <text>', 'the same seed gives the same account'),
      new Option('--speed <factor>', 'so many times as fast as real time').argParser(numberOf(parseSpeed)),
      new Option('--keys <n>', 'an account of so many ordinary keys').argParser(numberOf(parseCount)),
      ...['api', 'slack', 'webhook', 'smtp'].map((what) =>
        new Option(`--${what}-port <port>`, 'any free one without it').argParser(numberOf(parsePort)),
      ),
      new Option('--variant <name=value...>', 'how the API behaves where its page leaves it open'),
    ],
  );
  addCommand(
    context,
    {
      usage: 'demo',
      about: 'sixty days of a simulated account and the daemon that polices it, told in a minute',
      needs: [],
      examples: ['keywarden demo', 'keywarden demo --seed mine --speed 1000000'],
    },
    async (session, flags: DemoFlags) => {
      const { demo } = await import('./demo.ts');
      return demo(flags, session);
    },
    [
      new Option('--seed <text>', 'the same seed tells the same story'),
      new Option('--speed <factor>', 'simulated seconds in a real one (default 86400, a day)').argParser(
        numberOf(parseSpeed),
      ),
      new Option('--days <n>', 'how many (default 60)').argParser(numberOf(parseCount)),
      new Option('--keep-running', 'go on until stopped'),
    ],
  );
}
