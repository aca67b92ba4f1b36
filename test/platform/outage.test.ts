import pg from 'pg';
import { describe, expect, test } from 'vitest';

import { databaseAway, isPassing } from '#platform/database/outage.js';

/** As pg makes them of the server's answers. */
const said = (code: string) => Object.assign(new pg.DatabaseError('said', 4, 'error'), { code });
const network = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more });

describe('an outage', () => {
  test.each([
    ['a lost connection', said('08006')],
    ['a pooler without connections', said('08P01')],
    ['a server that has become a standby', said('25006')],
    ['a transaction that was idle for too long', said('25P03')],
    ['a login that is not let in yet', said('28000')],
    ['a database that is not restored yet', said('3D000')],
    ['a serialization failure', said('40001')],
    ['a deadlock', said('40P01')],
    ['a full disk', said('53100')],
    ['too many connections', said('53300')],
    ['a lock that was not given in time', said('55P03')],
    ['a statement that took too long', said('57014')],
    ['a server that was told to stop', said('57P01')],
    ['a server whose process crashed', said('57P02')],
    ['a server that starts', said('57P03')],
    ['a disk that fails', said('58030')],
    ['nobody at the port', network('ECONNREFUSED')],
    ['a connection that was reset', network('ECONNRESET')],
    ['a pipe that is gone', network('EPIPE')],
    ['a host that cannot be reached', network('EHOSTUNREACH')],
    ['a name service that is away', network('EAI_AGAIN')],
    ['no more file descriptors', network('EMFILE')],
    ['a socket file that is not there', network('ENOENT', { syscall: 'connect' })],
    ['what pg says without a code', new Error('Connection terminated unexpectedly')],
    ['a pool that has no free connection', new Error('timeout exceeded when trying to connect')],
    ['a server that takes connections and says nothing', new Error('timeout expired')],
    ['a pool that is closed', new Error('Cannot use a pool after calling end on the pool')],
  ])('is %s', (_, error) => {
    expect(isPassing(error)).toBe(true);
  });
});

describe('no outage', () => {
  test.each([
    ['a duplicate', said('23505')],
    ['a refused row', said('42501')],
    ['a table that is not there', said('42P01')],
    ['a number out of range', said('22003')],
    ['a fault of the server', said('XX000')],
    ['a file that is not there', network('ENOENT', { syscall: 'open' })],
    ['an error of ours that speaks of a connection', new Error('the connection string is wrong')],
    ['a time-out of something else', new Error('timeout')],
    ['what is no error', 'Connection terminated unexpectedly'],
  ])('is %s', (_, error) => {
    expect(isPassing(error)).toBe(false);
  });
});

describe('who is told that it passes', () => {
  const reasonOf = (error: unknown) => databaseAway(error).extensions.reason;

  test.each([
    ['a lost connection', said('08006')],
    ['a standby', said('25006')],
    ['too many connections', said('53300')],
    ['a server that starts', said('57P03')],
    ['nobody at the port', network('ECONNREFUSED')],
    ['a pool that has no free connection', new Error('timeout exceeded when trying to connect')],
  ])('is told that the database is away by %s', (_, error) => {
    expect(reasonOf(error)).toBe('DATABASE_AWAY');
  });

  test.each([
    ['a failed transaction', said('25P02')],
    ['a deadlock', said('40P01')],
    ['a full disk', said('53100')],
    ['a lock that was not given in time', said('55P03')],
    ['a statement that took too long', said('57014')],
    ['a disk that fails', said('58030')],
  ])('is not told so by %s, where the server answers others', (_, error) => {
    expect(reasonOf(error)).toBeUndefined();
  });
});
