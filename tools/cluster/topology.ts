import { join } from 'node:path';

import { folderOf, type Place } from './place.js';

/** One process of the cluster. */
export interface Member {
  name: string;
  /** What start.sh is asked for, or a panel. */
  program: 'etcd' | 'patroni' | 'haproxy' | 'pgbouncer' | 'redis' | 'sentinel' | 'panel';
  settings: Record<string, string>;
}

const host = '127.0.0.1';
const three = [1, 2, 3] as const;

/**
 * How to read this table: ports are counted from the one that the panels are reached at, members of a kind from 1 on.
 * What is first in a group is what clients of the cluster use.
 */
const offsets = {
  public: 0,
  panel: 0,
  primary: 10,
  replica: 11,
  pgbouncer: 12,
  redis: 13,
  haproxyMetrics: 14,
  etcdClient: 20,
  etcdPeer: 30,
  postgres: 40,
  patroni: 50,
  redisMember: 60,
  sentinel: 70,
  panelMetrics: 80,
} as const;

/** Ports that a cluster takes, from its first one on. */
export const portsTaken = 84;

export class Topology {
  constructor(
    readonly base: number,
    private readonly place: Place,
  ) {}

  port(kind: keyof typeof offsets, member = 0): number {
    return this.base + offsets[kind] + member;
  }

  at(kind: keyof typeof offsets, member = 0): string {
    return `${host}:${this.port(kind, member)}`;
  }

  get publicUrl(): string {
    return `http://localhost:${this.base}`;
  }

  /** What make-secrets.sh writes into URLs. */
  get addresses(): Record<string, string> {
    return {
      PRIMARY_ADDRESS: this.at('primary'),
      REPLICA_ADDRESS: this.at('replica'),
      PGBOUNCER_ADDRESS: this.at('pgbouncer'),
      REDIS_ADDRESS: this.at('redis'),
      PATRONI_ADDRESSES: three.map((n) => this.at('patroni', n)).join(' '),
    };
  }

  /** All but the panels, in the order in which they are started. */
  engines(): Member[] {
    return [
      ...three.map((n) => this.member('etcd', `etcd-${n}`, this.etcd(n))),
      ...three.map((n) => this.member('patroni', `postgres-${n}`, this.patroni(n))),
      ...[1, 2].map((n) =>
        this.member('redis', `redis-${n}`, {
          ...this.redis(),
          REDIS_PORT: String(this.port('redisMember', n)),
        }),
      ),
      ...three.map((n) =>
        this.member('sentinel', `sentinel-${n}`, {
          ...this.redis(),
          SENTINEL_LISTEN: host,
          SENTINEL_HOST: host,
          SENTINEL_PORT: String(this.port('sentinel', n)),
        }),
      ),
      this.member('haproxy', 'haproxy', this.haproxy()),
      this.member('pgbouncer', 'pgbouncer', {
        PRIMARY_HOST: host,
        PRIMARY_PORT: String(this.port('primary')),
        PGBOUNCER_LISTEN: host,
        PGBOUNCER_PORT: String(this.port('pgbouncer')),
        APP_PASSWORD_FILE: this.secret('app_password'),
      }),
    ];
  }

  panels(logLevel: string): Member[] {
    return three.map((n) => ({
      name: `panel-${n}`,
      program: 'panel',
      settings: {
        ...this.panelSettings(),
        LOG_LEVEL: logLevel,
        NODE_NAME: `panel-${n}`,
        HOST: host,
        PORT: String(this.port('panel', n)),
        PUBLIC_URL: this.publicUrl,
        TRUST_PROXY: 'loopback',
        METRICS_PORT: String(this.port('panelMetrics', n)),
        METRICS_TOKEN_FILE: this.secret('metrics_token'),
      },
    }));
  }

  /** What a panel, and the migration before it, has to know of the database and of Redis. */
  panelSettings(): Record<string, string> {
    return {
      DATABASE_URL_FILE: this.secret('database_url'),
      DATABASE_DIRECT_URL_FILE: this.secret('database_direct_url'),
      DATABASE_READ_URL_FILE: this.secret('database_read_url'),
      PATRONI_URLS_FILE: this.secret('patroni_urls'),
      SECRETS_KEY_FILE: this.secret('secrets_key'),
      REDIS_URL_FILE: this.secret('redis_url'),
    };
  }

  ownerSettings(): Record<string, string> {
    return { DATABASE_OWNER_URL_FILE: this.secret('database_owner_url') };
  }

  secret(name: string): string {
    return join(this.place.secrets, name);
  }

  private member(program: Member['program'], name: string, settings: Record<string, string>): Member {
    const folder = folderOf(this.place, name);
    return {
      name,
      program,
      settings: { MEMBER: name, STATE_DIR: folder, RUN_DIR: join(folder, 'run'), ...settings },
    };
  }

  private etcd(n: number): Record<string, string> {
    return {
      ETCD_LISTEN: host,
      ETCD_HOST: host,
      ETCD_CLIENT_PORT: String(this.port('etcdClient', n)),
      ETCD_PEER_PORT: String(this.port('etcdPeer', n)),
      ETCD_CLUSTER: three.map((m) => `etcd-${m}=http://${this.at('etcdPeer', m)}`).join(','),
    };
  }

  private patroni(n: number): Record<string, string> {
    return {
      ETCD_HOSTS: three.map((m) => this.at('etcdClient', m)).join(','),
      PATRONI_LISTEN: host,
      PATRONI_HOST: host,
      PATRONI_PORT: String(this.port('patroni', n)),
      POSTGRES_LISTEN: host,
      POSTGRES_HOST: host,
      POSTGRES_PORT: String(this.port('postgres', n)),
      ...Object.fromEntries(
        ['patroni', 'superuser', 'replication', 'owner', 'app'].map((name) => [
          `${name.toUpperCase()}_PASSWORD_FILE`,
          this.secret(`${name}_password`),
        ]),
      ),
    };
  }

  private redis(): Record<string, string> {
    return {
      REDIS_LISTEN: host,
      REDIS_HOST: host,
      REDIS_FIRST_HOST: host,
      REDIS_FIRST_PORT: String(this.port('redisMember', 1)),
      REDIS_PASSWORD_FILE: this.secret('redis_password'),
    };
  }

  private haproxy(): Record<string, string> {
    const each = (prefix: string, value: (n: number) => string, members: readonly number[] = three) =>
      Object.fromEntries(members.map((n) => [`${prefix}_${n}`, value(n)]));
    return {
      PUBLIC_BIND: this.at('public'),
      PRIMARY_BIND: this.at('primary'),
      REPLICA_BIND: this.at('replica'),
      REDIS_BIND: this.at('redis'),
      HAPROXY_METRICS_BIND: this.at('haproxyMetrics'),
      REDIS_PASSWORD_FILE: this.secret('redis_password'),
      ...each('PANEL', (n) => this.at('panel', n)),
      ...each('POSTGRES', (n) => this.at('postgres', n)),
      ...each('PATRONI_PORT', (n) => String(this.port('patroni', n))),
      ...each('REDIS', (n) => this.at('redisMember', n), [1, 2]),
    };
  }
}
