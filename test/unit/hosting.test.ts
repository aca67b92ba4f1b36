import 'reflect-metadata';
import { expect, test } from 'vitest';

import { alternativesTo, choose } from '#subgraphs/hosting/catalogue/choose.js';
import { costBetween } from '#subgraphs/hosting/cost/cost.js';
import type { Catalogue } from '#subgraphs/hosting/provider/driver.js';
import { backoffMs, pollMs } from '#subgraphs/hosting/provision/pace.js';
import { serverMoves, ServerPhase, statusOf } from '#subgraphs/hosting/server/server.phases.js';

const price = { priceHourly: 0.01, priceMonthly: 5, ipv4PriceHourly: 0, ipv4PriceMonthly: 0 };
const middle = () => 0.5;

test('begun hours are paid, and no calendar month more than its price', () => {
  const cost = (from: string, to: string) => costBetween(price, new Date(from), new Date(to));
  expect(cost('2026-11-29T10:00:00Z', '2026-11-29T10:00:01Z')).toBe(0.01);
  expect(cost('2026-11-29T10:00:00Z', '2026-11-29T12:30:00Z')).toBe(0.03);
  expect(cost('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z')).toBe(5);
  // Two whole months, and the last two hours of the one before.
  expect(cost('2026-09-30T22:00:00Z', '2026-12-01T00:00:00Z')).toBe(10.02);
  expect(cost('2026-11-29T10:00:00Z', '2026-11-29T10:00:00Z')).toBe(0);
});

test('an address that is paid for apart has hours and a month of its own', () => {
  const withAddress = { ...price, ipv4PriceHourly: 0.0008, ipv4PriceMonthly: 0.5 };
  const cost = (from: string, to: string) => costBetween(withAddress, new Date(from), new Date(to));
  expect(cost('2026-11-29T10:00:00Z', '2026-11-29T12:30:00Z')).toBe(0.0324);
  // 510 hours: the server's month is paid by then, and not quite that of its address; both are at its end.
  expect(cost('2026-11-01T00:00:00Z', '2026-11-22T06:00:00Z')).toBe(5.408);
  expect(cost('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z')).toBe(5.5);
});

test('looks become rarer while nothing is new, and as rare as their requests come back once half is spent', () => {
  const at = (quietPolls: number, left: number | null, requests = 1) =>
    pollMs({ requests, quietPolls }, { limit: left === null ? null : 3_600, left }, middle);
  expect([0, 1, 2, 3, 9].map((quiet) => at(quiet, null))).toEqual([1_000, 1_500, 2_250, 2_800, 2_800]);
  expect(at(0, 3_000, 20)).toBe(1_000);
  expect(at(0, 1_000, 20)).toBe(20_000);
  expect(at(0, 300, 1)).toBe(60_000);
});

test('thirty servers that take an hour to be made are followed within the hour of requests, with a part of it left', () => {
  const limit = 3_600;
  const servers = 30;
  // Fifty to a request, and one for what has come further; and the calls that made them.
  const requests = Math.ceil(servers / 50) + 1;
  let left = limit - servers;
  let total = servers;
  for (let at = 0; at < 3_600_000;) {
    const pauseMs = pollMs({ requests, quietPolls: 9 }, { limit, left }, () => 0);
    at += pauseMs;
    left = Math.min(limit, left + (pauseMs * limit) / 3_600_000) - requests;
    total += requests;
    expect(left).toBeGreaterThan(limit / 10);
  }
  expect(total).toBeLessThan(limit);
  expect(total).toBeGreaterThan(1_000);
});

test('a call that failed is repeated later each time, up to a minute', () => {
  expect([1, 2, 3, 4, 9].map((failures) => backoffMs(failures, middle))).toEqual([
    1_000, 2_000, 4_000, 8_000, 60_000,
  ]);
});

test('a wish is placed where it is cheapest, and a sold-out one has alternatives', () => {
  const place = (region: string, priceMonthly: number, isAvailable = true) => ({
    region,
    isAvailable,
    endsAt: null,
    priceHourly: 0.01,
    priceMonthly,
  });
  const size = { name: 's', vcpus: 2, memoryGb: 4, diskGb: 40, architecture: 'x86' };
  const region = (id: string, zone: string) => ({ id, name: id, zone, country: null, city: null });
  const catalogue: Catalogue = {
    currency: 'EUR',
    regions: [region('a', 'eu'), region('b', 'eu'), region('c', 'us')],
    sizes: [
      { id: 'small', ...size, places: [place('a', 5), place('b', 4), place('c', 9)] },
      { id: 'large', ...size, vcpus: 4, places: [place('a', 8)] },
      { id: 'gone', ...size, places: [place('a', 3, false)] },
    ],
  };
  const now = new Date();
  expect(choose(catalogue, { region: 'eu', size: 'small' }, now).location).toBe('b');
  expect(choose(catalogue, { region: 'a', size: 'small' }, now).location).toBe('a');
  expect(() => choose(catalogue, { region: 'eu', size: 'gone' }, now)).toThrow('to be had: small in b');
  expect(alternativesTo(catalogue, { region: 'a', size: 'gone' })).toEqual([
    { region: 'a', size: 'small', price: 5, currency: 'EUR' },
    { region: 'a', size: 'large', price: 8, currency: 'EUR' },
  ]);
});

test('every phase has a status, every way leads to an end, and nothing follows the end', () => {
  for (const phase of Object.values(ServerPhase)) {
    expect(statusOf(phase)).toBeDefined();
    const seen = new Set<ServerPhase>([phase]);
    for (const each of seen) for (const next of serverMoves[each]) seen.add(next);
    expect(seen).toContain(ServerPhase.DELETED);
  }
  expect(serverMoves[ServerPhase.DELETED]).toEqual([]);
});
