import { freePort, PanelProcess } from './process.js';

const restartExitCode = 75;

/** Keeps panels running as a service manager does: one that ends with the code for it is started anew, as its version then. */
export class Supervisor implements AsyncDisposable {
  /** What each node is started as from now on. */
  readonly versions = new Map<string, string>();
  /** With which code each node ended, in order. */
  readonly ends: { node: string; code: unknown }[] = [];
  private readonly running = new Map<string, PanelProcess>();
  private readonly ports = new Map<string, number>();
  private isStopping = false;

  constructor(private readonly settings: Record<string, string>) {}

  async start(node: string, version: string): Promise<void> {
    this.versions.set(node, version);
    this.ports.set(node, await freePort());
    await this.launch(node).ready();
  }

  urlOf(node: string): string {
    return `http://127.0.0.1:${this.ports.get(node)}`;
  }

  /** Those that say that they may be sent requests. */
  async ready(): Promise<string[]> {
    const found = await Promise.all(
      [...this.ports.keys()].map(async (node) => {
        const answer = await fetch(`${this.urlOf(node)}/readyz`).catch(() => undefined);
        await answer?.body?.cancel();
        return answer?.status === 200 ? [node] : [];
      }),
    );
    return found.flat();
  }

  of(node: string): PanelProcess {
    return this.running.get(node)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isStopping = true;
    await Promise.all([...this.running.values()].map(async (process) => process.kill('SIGKILL')));
  }

  private launch(node: string): PanelProcess {
    const process = new PanelProcess(this.ports.get(node)!, {
      ...this.settings,
      NODE_NAME: node,
      PANEL_VERSION: this.versions.get(node)!,
    });
    this.running.set(node, process);
    void process.ended.then((code) => {
      if (this.isStopping) return;
      this.ends.push({ node, code });
      if (code === restartExitCode) this.launch(node);
    });
    return process;
  }
}
