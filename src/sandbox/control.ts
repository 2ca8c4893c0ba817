/** Steering a served sandbox from outside: what is to go wrong next, and what truly happened. */
import { Hono } from 'hono';
import type { Clock } from '../ports.ts';
import type { SandboxEnv } from './fault-middleware.ts';
import { parseFaultRule, type FaultRule, type Faults } from './faults.ts';
import { formatTime } from './api.ts';
import type { World } from './world.ts';

/**
 * `POST /_sandbox/faults` orders a fault or a list of them, `GET` shows those on order, `DELETE` clears
 * them; `GET /_sandbox/log` is the world's own record of changes, without secrets.
 */
export function createControl(world: World, clock: Clock, faults: Faults): Hono<SandboxEnv> {
  const app = new Hono<SandboxEnv>();
  app.get('/_sandbox/faults', (c) => c.json(faults.rules));
  app.post('/_sandbox/faults', async (c) => {
    const body = await c.req.json<unknown>().catch(() => null);
    try {
      // All are read before the first is added: a wrong one leaves everything as it was.
      for (const rule of readRules(body)) faults.add(rule);
    } catch (error) {
      if (error instanceof TypeError) return c.json({ status: 'error', message: error.message }, 400);
      throw error;
    }
    return c.json(faults.rules, 201);
  });
  app.delete('/_sandbox/faults', (c) => {
    faults.clear();
    return c.json([]);
  });
  app.get('/_sandbox/log', (c) => {
    world.advanceTo(clock.now());
    const events = world.log.items;
    return c.json(events.map(({ secret: _, at, ...event }) => ({ at: formatTime(at, 'Z'), ...event })));
  });
  return app;
}

function readRules(body: unknown): readonly FaultRule[] {
  return Array.isArray(body) ? body.map(parseFaultRule) : [parseFaultRule(body)];
}
