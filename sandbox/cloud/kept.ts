/** What a stand-in keeps, in words of its own; answers put it into those of the provider. */

export interface Action {
  id: number;
  command: string;
  status: 'running' | 'success' | 'error';
  progress: number;
  started: string;
  finished: string | null;
  resources: { id: number; type: string }[];
  error: { code: string; message: string } | null;
}

export type ServerStatus = 'initializing' | 'starting' | 'running' | 'stopping' | 'off' | 'deleting';

export interface Server {
  id: number;
  name: string;
  status: ServerStatus;
  created: string;
  /** Of a provider that has tags, these with empty values. */
  labels: Record<string, string>;
  /** Names. */
  type: string;
  location: string;
  imageId: number;
  protection: { delete: boolean; rebuild: boolean };
  ipv4: string;
  userData: string;
  /** Whether its address stays when it is deleted. */
  keepsAddress?: boolean;
}

/** Something of a price of its own that people attach to servers. */
export interface Extra {
  id: number;
  kind: 'volume' | 'address' | 'snapshot';
  /** Of an address, that. */
  name: string;
  location: string;
  created: string;
  /** Null while it is attached to none. A snapshot stays of its server for as long as that is there. */
  serverId: number | null;
}

export interface SshKey {
  id: number;
  name: string;
  public_key: string;
  fingerprint: string;
  labels: Record<string, string>;
  created: string;
}

/** Something that will happen: an action's end, a server's next state. */
export interface Step {
  at: number;
  kind: 'created' | 'started' | 'deleted' | 'stopped' | 'ended';
  project: string;
  serverId: number;
  actionId: number;
  /** The action ends in this error instead. */
  error: { code: string; message: string } | null;
}

export interface Project {
  servers: Server[];
  actions: Action[];
  keys: SshKey[];
  /** None unless told. */
  extras?: Extra[];
  /** Of a provider that knows tags by themselves. */
  tags?: string[];
  /** Unspent requests, at a moment in milliseconds. */
  budget: { left: number; at: number };
}

export interface Token {
  project: string;
  access: 'read-write' | 'read-only';
  /** What it may do, where the provider lets that be chosen; all that its access lets unless told. */
  scopes?: readonly string[];
}

export interface Contents {
  format: 1;
  lastId: number;
  projects: Record<string, Project>;
  tokens: Record<string, Token>;
  steps: Step[];
}
