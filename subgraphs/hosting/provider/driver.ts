/** A place to put servers. */
export interface RegionOffer {
  /** As the provider names it: `fsn1`. */
  id: string;
  name: string;
  /** What it may be asked for as well: `eu-central`. Null where the provider has no such groups. */
  zone: string | null;
  country: string | null;
  city: string | null;
}

/** What one size costs and whether it can be had at one place. */
export interface PlaceOffer {
  region: string;
  isAvailable: boolean;
  /** After which moment it is sold no more, where that was announced. */
  endsAt: string | null;
  /** Net, in major units of the catalogue's currency. */
  priceHourly: number;
  priceMonthly: number;
}

export interface SizeOffer {
  id: string;
  name: string;
  vcpus: number;
  memoryGb: number;
  diskGb: number;
  architecture: string;
  places: PlaceOffer[];
}

/** What a public IPv4 address costs at one place, beside the server that has it. */
export interface AddressOffer {
  region: string;
  priceHourly: number;
  priceMonthly: number;
}

/** What a provider sells, as it told. */
export interface Catalogue {
  currency: string;
  regions: RegionOffer[];
  sizes: SizeOffer[];
  /** Where addresses are paid for apart; absent where they are not, and in what was kept by earlier versions. */
  addresses?: AddressOffer[];
}

/** By what a server at the provider is known to be ours. */
export interface Marks {
  /** This panel. */
  panel: string;
  tenant: string;
  server: string;
}

export interface ServerSpec {
  name: string;
  size: string;
  location: string;
  architecture: string;
  sshKeys: readonly string[];
  userData: string;
  marks: Marks;
}

/** A server as the provider shows it. */
export interface Sighting {
  providerId: string;
  name: string;
  /** Of this kind of mark only; null when it has none. */
  marks: Marks | null;
  /** Whether it is on, to the provider's knowledge. */
  isRunning: boolean;
  isGoing: boolean;
  ipAddress: string | null;
  /** Of the catalogue; null where that is not told. */
  size: string | null;
  location: string | null;
  createdAt: Date;
}

/** Something with a price of its own that was put to a server at the provider, and stays there when that is deleted. */
export interface Attachment {
  kind: AttachmentKind;
  providerId: string;
  name: string;
}

export enum AttachmentKind {
  /** A disk of its own. */
  VOLUME = 'VOLUME',
  /** A public IPv4 address that is kept. */
  ADDRESS = 'ADDRESS',
  /** An image of the server or of a volume. */
  SNAPSHOT = 'SNAPSHOT',
}

/** Something that the provider is at work on. */
export interface Progress {
  state: 'running' | 'done' | 'failed';
  percent: number;
  /** Of a failed one, in the provider's words. */
  message: string | null;
  code: string | null;
}

export interface Created {
  seen: Sighting;
  /** What has to be done before it has been created, and then before it is on. */
  operationIds: string[];
}

/** One tenant's account, for one piece of work. */
export interface Session {
  /** Null where there is none any more: each call is refused as if the provider had. */
  token: string | null;
  /** When the piece of work has to be over: calls that are under way then are given up. */
  signal?: AbortSignal;
  /** Told with each answer that says so. */
  onBudget: (limit: number, left: number) => void;
}

/**
 * A provider of servers. Whatever goes wrong is a ProviderError. Nothing is repeated in here: that is up to whoever calls,
 * who has written down what is under way.
 */
export interface Driver {
  readonly id: string;
  readonly name: string;
  /** Whether a stand-in is in the provider's place. */
  readonly isSandbox: boolean;
  /** Operations that one request can ask for. */
  readonly operationsPerRequest: number;
  /**
   * How long after a call whose answer was lost the server that it may have made is looked for, before another call: it
   * may still take effect. 0 where names of servers are unique, so that a second one is refused anyway.
   */
  readonly settlesAfterMs: number;
  /** What servers are made from, in the words that nodes tell. */
  readonly image: { readonly os: string; readonly version: string };
  /** Throws UNAUTHORIZED or READ_ONLY unless the token may do all that is needed. Changes nothing. */
  verify(session: Session): Promise<void>;
  catalogue(session: Session): Promise<Catalogue>;
  create(session: Session, spec: ServerSpec): Promise<Created>;
  /** By its marks; undefined when there is none. */
  find(session: Session, marks: Marks): Promise<Sighting | undefined>;
  read(session: Session, providerId: string): Promise<Sighting | undefined>;
  /** What became of operations, all of them in as few requests as can be. Those that it does not know are left out. */
  progress(session: Session, operationIds: readonly string[]): Promise<Map<string, Progress>>;
  /** Every server with the panel's and the tenant's marks. */
  list(session: Session, marks: Omit<Marks, 'server'>): Promise<Sighting[]>;
  /** What stays when it is deleted, as far as the token shows it; none of one that is not there any more. */
  attachments(session: Session, providerId: string): Promise<Attachment[]>;
  /** The operations to wait for; undefined when it is not there any more. */
  remove(session: Session, providerId: string): Promise<string[] | undefined>;
  /** Takes away what the marks of a server that is gone leave behind. Safe to repeat. */
  forget?(session: Session, marks: Marks): Promise<void>;
}
