import type { Action, Contents, Extra, Project, Server, Step, Token } from './kept.js';

/** How long things take, in milliseconds. */
export interface Timing {
  createMs: number;
  startMs: number;
  stopMs: number;
  deleteMs: number;
}

export const defaultTiming: Timing = { createMs: 2_000, startMs: 1_000, stopMs: 500, deleteMs: 1_000 };

/** Ends with an error instead, the next time an action of this command is begun. */
export interface ActionFault {
  command: string;
  code: string;
  message: string;
}

/** Projects and what is in them, and what will happen next. Whatever is due by the clock is done before anybody looks. */
export class World {
  contents: Contents = { format: 1, lastId: 1_000, projects: {}, tokens: {}, steps: [] };
  /** Sizes that are sold out by order: `size`, or `size@location`. */
  readonly soldOut = new Set<string>();
  readonly actionFaults: ActionFault[] = [];
  /** Counts what is worth keeping. */
  version = 0;
  private readonly listeners: (() => void)[] = [];
  private readonly watchers: ((server: Server, project: string, isOn: boolean) => void)[] = [];

  constructor(
    readonly timing: Timing,
    readonly requestsAnHour: number,
    private readonly time: () => Date,
  ) {}

  now(): number {
    return this.time().getTime();
  }

  /** Times on the wire have whole seconds. */
  stamp(at = this.now()): string {
    return `${new Date(at).toISOString().slice(0, 19)}+00:00`;
  }

  newId(): number {
    this.contents.lastId += 1;
    return this.contents.lastId;
  }

  addToken(secret: string, token: Token): void {
    this.contents.tokens[secret] = token;
    this.changed();
  }

  removeToken(secret: string): void {
    delete this.contents.tokens[secret];
    this.changed();
  }

  project(name: string): Project {
    this.contents.projects[name] ??= {
      servers: [],
      actions: [],
      keys: [],
      budget: { left: this.requestsAnHour, at: this.now() },
    };
    return this.contents.projects[name];
  }

  /** What people have attached to a server. */
  extrasOf(project: string, serverId: number, kind: Extra['kind']): Extra[] {
    const { extras = [] } = this.project(project);
    return extras.filter((extra) => extra.serverId === serverId && extra.kind === kind);
  }

  /** Begins an action on a server, and plans its end. */
  begin(project: string, server: Server, command: string, kind: Step['kind'], afterMs: number): Action {
    const at = this.actionFaults.findIndex((fault) => fault.command === command);
    const [fault] = at < 0 ? [] : this.actionFaults.splice(at, 1);
    const action: Action = {
      id: this.newId(),
      command,
      status: 'running',
      progress: 0,
      started: this.stamp(),
      finished: null,
      resources: [{ id: server.id, type: 'server' }],
      error: null,
    };
    this.project(project).actions.push(action);
    this.contents.steps.push({
      at: this.now() + afterMs,
      kind,
      project,
      serverId: server.id,
      actionId: action.id,
      error: fault ? { code: fault.code, message: fault.message } : null,
    });
    this.changed();
    return action;
  }

  /** Something is different: it is kept, and time may have something new to wait for. */
  changed(): void {
    this.version += 1;
    for (const listener of this.listeners) listener();
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Calls back when a machine goes on or off. */
  onPower(watcher: (server: Server, project: string, isOn: boolean) => void): void {
    this.watchers.push(watcher);
  }

  nextAt(): number {
    return Math.min(...this.contents.steps.map(({ at }) => at));
  }

  /** Does what is due, in its order. */
  settle(): void {
    for (;;) {
      const { steps } = this.contents;
      const due = steps.filter(({ at }) => at <= this.now()).toSorted((a, b) => a.at - b.at)[0];
      if (!due) return;
      this.contents.steps = steps.filter((step) => step !== due);
      this.take(due);
      this.changed();
    }
  }

  private take({ kind, project: name, serverId, actionId, error, at }: Step): void {
    const project = this.project(name);
    const server = project.servers.find(({ id }) => id === serverId);
    const action = project.actions.find(({ id }) => id === actionId);
    if (action)
      Object.assign(action, {
        status: error ? 'error' : 'success',
        progress: error ? action.progress : 100,
        finished: this.stamp(at),
        error,
      });
    if (!server) return;
    if (error) {
      if (server.status === 'deleting') server.status = 'running';
      if (kind === 'created') this.giveUp(project, serverId, error, at);
      return;
    }
    switch (kind) {
      case 'created':
        server.status = 'starting';
        return;
      case 'started':
        server.status = 'running';
        return this.power(server, name, true);
      case 'stopped':
        server.status = 'off';
        return this.power(server, name, false);
      case 'deleted':
        for (const extra of project.extras ?? []) if (extra.serverId === serverId) extra.serverId = null;
        project.servers = project.servers.filter((each) => each !== server);
        return this.power(server, name, false);
      case 'ended':
        return;
    }
  }

  /** What was not made can not be started either. */
  private giveUp(project: Project, serverId: number, error: Step['error'], at: number): void {
    const isOfIt = (step: Step) => step.serverId === serverId && step.kind === 'started';
    for (const { actionId } of this.contents.steps.filter(isOfIt)) {
      const action = project.actions.find(({ id }) => id === actionId);
      if (action) Object.assign(action, { status: 'error', finished: this.stamp(at), error });
    }
    this.contents.steps = this.contents.steps.filter((step) => !isOfIt(step));
  }

  power(server: Server, project: string, isOn: boolean): void {
    for (const watcher of this.watchers) watcher(server, project, isOn);
  }
}
