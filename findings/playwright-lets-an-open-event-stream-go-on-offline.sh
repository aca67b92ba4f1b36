#!/usr/bin/env bash
# playwright-core 1.65.1 with Chromium 156 (Debian 12): after setOffline(true) an event stream that is open goes on telling.
#
# What is new is refused, navigator.onLine is false, and a WebSocket hears nothing more. But events of an EventSource that
# is open arrive as before. A test that takes the network away to see a live page say "not connected" and catch up later
# shows nothing where pages are told of changes by event streams: the page has heard all the time. Nor is it a cut for the
# socket, which is silent and stays open.
# Cut where it is served: close the connection in the server or in a proxy that the test holds in its hand.
# Seen on 2026-12-01 with Node 24.21.0. Needs Debian's chromium. Exits with 1 when the behaviour has changed.
set -euo pipefail
command -v chromium >/dev/null || { echo "Needs Debian's chromium." >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact playwright-core@1.65.1 ws@8.23.0

cat >try.mjs <<'PROGRAM'
import http from 'node:http';
import { chromium } from 'playwright-core';
import { WebSocketServer } from 'ws';

const every = (tell) => {
  let n = 0;
  return setInterval(() => tell((n += 1)), 100);
};
const server = http.createServer((request, response) => {
  if (request.url !== '/events') return response.setHeader('content-type', 'text/html').end('<!doctype html>');
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const timer = every((n) => response.write(`data: ${n}\n\n`));
  response.on('close', () => clearInterval(timer));
});
new WebSocketServer({ server }).on('connection', (socket) => {
  const timer = every((n) => socket.send(n));
  socket.on('close', () => clearInterval(timer));
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext();
const page = await context.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
await page.evaluate(() => {
  globalThis.heard = { stream: 0, socket: 0 };
  globalThis.stream = new EventSource('/events');
  stream.onmessage = () => (heard.stream += 1);
  globalThis.socket = new WebSocket(location.href.replace('http', 'ws'));
  socket.onmessage = () => (heard.socket += 1);
});
await page.waitForFunction(() => heard.stream > 2 && heard.socket > 2);
await context.setOffline(true);
await page.waitForTimeout(500);
const told = await page.evaluate(async () => {
  const before = { ...heard };
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const open = (one) => (one.readyState === 1 ? 'open' : 'closed');
  return [
    `onLine ${navigator.onLine}`,
    `a new request: ${await fetch('/').then(() => 'answered', () => 'refused')}`,
    `the socket: ${open(socket)}, ${heard.socket > before.socket ? 'tells on' : 'silent'}`,
    `the event stream: ${open(stream)}, ${heard.stream > before.stream + 5 ? 'tells on' : 'silent'}`,
  ].join('\n');
});
console.log(told);
await browser.close();
process.exit();
PROGRAM

cat >expected <<'OUTPUT'
onLine false
a new request: refused
the socket: open, silent
the event stream: open, tells on
OUTPUT

timeout 90 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
echo 'a page that is offline hears of changes by its event stream'
