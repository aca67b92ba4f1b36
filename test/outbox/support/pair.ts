import { startTestPanel, type TestPanel } from '../../support/panel.js';
import { SwitchedAddress } from '../../support/switched-address.js';
import { SecondServer } from './second-server.js';
import { Standby } from './standby.js';

/** A panel that reaches its server as through a proxy, and a standby of that server. */
export class Pair implements AsyncDisposable {
  private constructor(
    readonly server: SecondServer,
    readonly standby: Standby,
    readonly address: SwitchedAddress,
    readonly panel: TestPanel,
    private readonly isServerOurs: boolean,
  ) {}

  /** On a server of its own, which ends with it. */
  static async start(): Promise<Pair> {
    return Pair.on(await SecondServer.start(), { isServerOurs: true });
  }

  /**
   * On a database of its own of a server that others use as well. With `readsOld` the primary of the beginning is also what the
   * panel reads lists from, whatever becomes of it.
   */
  static async on(server: SecondServer, { readsOld = false, isServerOurs = false } = {}): Promise<Pair> {
    const database = await server.newDatabase();
    const { dataDir, port } = server;
    const standby = await Standby.of({ dataDir, port, ownerUrl: database.ownerUrl });
    const address = await SwitchedAddress.open(port);
    const settings: Record<string, string> = readsOld ? { DATABASE_READ_URL: database.url } : {};
    const panel = await startTestPanel(settings, 'in process', {
      ...database,
      url: address.through(database.url),
      ownerUrl: address.through(database.ownerUrl),
      drop: async () => undefined,
    });
    return new Pair(server, standby, address, panel, isServerOurs);
  }

  /** The primary is gone, and the standby takes its place at the address. */
  async failOver(): Promise<void> {
    this.address.cut();
    this.standby.fallBehind();
    await this.standby.promote();
    this.address.switchTo(this.standby.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.panel.stop();
    await this.address[Symbol.asyncDispose]();
    await this.standby[Symbol.asyncDispose]();
    if (this.isServerOurs) await this.server.stop();
  }
}
