import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';

import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { startTestPanel, type TestPanel } from '../support/panel.js';
import { hostName, proxies, Proxy, type ProxyKind } from './support/proxy.js';

// In CI a missing proxy is a failure; elsewhere its tests are left out, which the report says.
const isTried = ({ isThere }: ProxyKind) => isThere || process.env['CI'] !== undefined;

const token = 'a-token-for-the-scraper';
const subscriptions = async () =>
  Number(/^panel_subscriptions (\d+)$/m.exec((await panel.world.rest('/metrics', { token })).text)?.[1]);

let panel: TestPanel;
beforeAll(async () => {
  panel = await startTestPanel({
    TRUST_PROXY: 'loopback',
    PUBLIC_URL: `https://${hostName}`,
    METRICS_TOKEN: token,
  });
});
afterAll(async () => panel.stop());

const start = (kind: ProxyKind) => Proxy.start(kind, Number(new URL(panel.panel.url).port));

for (const kind of proxies) {
  describe.skipIf(!isTried(kind))(`deploy/proxy/${kind.file} in front of a panel`, () => {
    test('requests over TLS are answered, and the client is the one that the proxy has seen', async () => {
      await using proxy = await start(kind);
      const { account } = await panel.world.tenant();
      const login = await proxy.call('/api/auth/login', {
        body: account,
        from: '127.0.0.2',
        headers: { 'x-forwarded-for': '203.0.113.9' },
      });
      expect(login.status).toBe(200);
      const { access_token: token } = login.body as { access_token: string };
      const { body } = await proxy.call('/api/auth/sessions', {
        headers: { authorization: `Bearer ${token}` },
      });
      const current = (body as { current: boolean; client_address: string }[]).find(
        (session) => session.current,
      );
      expect(current?.client_address).toBe('127.0.0.2');
    });

    test('a subscription over wss gets its events', async () => {
      await using proxy = await start(kind);
      const tenant = await panel.world.tenant();
      class Browser extends WebSocket {
        constructor(url: string, protocol: string) {
          super(url, protocol, { ...proxy.tls, headers: { host: hostName } });
        }
      }
      const client = createClient({
        url: `wss://127.0.0.1:${proxy.port}/graphql`,
        webSocketImpl: Browser,
        retryAttempts: 0,
        connectionParams: { authorization: `Bearer ${tenant.token}` },
      });
      const events = client.iterate({ query: 'subscription { instanceChanged { name } }' });
      const first = events.next();
      // Messages of one socket are taken in order: its answer says that the subscription stands.
      await client.iterate({ query: '{ __typename }' }).next();
      await tenant.node('behind-proxy');
      expect((await first).value).toMatchObject({ data: { instanceChanged: { name: 'behind-proxy' } } });
      await client.dispose();
    });

    test('a stream of events gets them as they come, and the panel hears when its client leaves', async () => {
      await using proxy = await start(kind);
      const tenant = await panel.world.tenant();
      const sent = request({
        ...proxy.tls,
        path: '/graphql',
        method: 'POST',
        headers: {
          host: hostName,
          accept: 'text/event-stream',
          'content-type': 'application/json',
          authorization: `Bearer ${tenant.token}`,
        },
      });
      sent.end(JSON.stringify({ query: 'subscription { instanceChanged { name } }' }));
      const [response] = (await once(sent, 'response')) as [IncomingMessage];
      await expect.poll(subscriptions).toBe(1);
      await tenant.node('behind-proxy');
      let told = '';
      for await (const chunk of response.iterator({ destroyOnReturn: false })) {
        told += String(chunk);
        if (told.includes('behind-proxy')) break;
      }
      sent.destroy();
      // haproxy 2.6 looks at a client only when there is something to write, which the next pings are.
      if (kind.name === 'haproxy') return;
      // Before them.
      await expect.poll(subscriptions, { timeout: 5_000 }).toBe(0);
    });
  });
}
