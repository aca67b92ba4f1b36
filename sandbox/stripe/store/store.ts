import type { Resource, TableName, Tables } from './stored.js';

type Rows = { [Name in TableName]: Map<string, Tables[Name]> };

/** What a restart needs: every resource, in order of creation, and what is known beside them. */
export interface StoreContents {
  tables: { [Name in TableName]: Tables[Name][] };
  deleted: Resource[];
  marks: [string, number][];
}

const names: readonly TableName[] = [
  'customer',
  'product',
  'price',
  'coupon',
  'discount',
  'tax_rate',
  'payment_method',
  'payment_intent',
  'subscription',
  'subscription_schedule',
  'invoice',
  'invoiceitem',
  'invoice_payment',
  'charge',
  'refund',
  'dispute',
  'credit_note',
  'checkout.session',
  'billing_portal.session',
  'test_helpers.test_clock',
  'webhook_endpoint',
  'event',
  'checkout_plan',
];

/** Thrown within a transaction by whoever wants its error told and its changes kept, as after a declined card. */
export class KeptChanges extends Error {
  constructor(readonly error: Error) {
    super(error.message, { cause: error });
  }
}

/**
 * All resources, in memory. Writes happen within `transaction`, which takes them back when its work throws. Nothing in
 * it waits, so a request sees and leaves a state that no other request is in the middle of.
 */
export class Store {
  /** Rises with every change: whoever computed something from the contents knows whether it still holds. */
  version = 0;
  /** The same without events, of which time does nothing. */
  timeVersion = 0;

  private readonly rows = Object.fromEntries(names.map((name) => [name, new Map()])) as unknown as Rows;
  private readonly tableOf = new Map<string, TableName>();
  private readonly deleted = new Map<string, Resource>();
  private readonly marks = new Map<string, number>();
  private undo: (() => void)[] | undefined;

  get<Name extends TableName>(table: Name, id: string): Tables[Name] | undefined {
    return this.rows[table].get(id) as Tables[Name] | undefined;
  }

  /** The resource with this id, whatever its kind. */
  find(id: string): Resource | undefined {
    const table = this.tableOf.get(id);
    return table && this.get(table, id);
  }

  /** A resource that was deleted, as it was last: what refers to it goes on meaning it. */
  deletedOne(id: string): Resource | undefined {
    return this.deleted.get(id);
  }

  all<Name extends TableName>(table: Name): Tables[Name][] {
    return [...this.rows[table].values()] as Tables[Name][];
  }

  count(table: TableName): number {
    return this.rows[table].size;
  }

  put<Name extends TableName>(table: Name, resource: Tables[Name]): Tables[Name] {
    const rows = this.rows[table] as Map<string, Tables[Name]>;
    const before = rows.get(resource.id);
    this.record(() => {
      if (before) rows.set(resource.id, before);
      else {
        rows.delete(resource.id);
        this.tableOf.delete(resource.id);
      }
    });
    rows.set(resource.id, resource);
    this.tableOf.set(resource.id, table);
    if (table !== 'event') this.timeVersion += 1;
    return resource;
  }

  /** The resource with some fields changed. */
  change<Name extends TableName>(table: Name, id: string, fields: Partial<Tables[Name]>): Tables[Name] {
    const before = this.get(table, id);
    if (!before) throw new Error(`there is no ${table} ${id} to change`);
    return this.put(table, { ...before, ...fields });
  }

  delete(table: TableName, id: string): void {
    const rows = this.rows[table] as Map<string, Resource>;
    const before = rows.get(id);
    if (!before) return;
    this.record(() => {
      rows.set(id, before);
      this.tableOf.set(id, table);
      this.deleted.delete(id);
    });
    rows.delete(id);
    this.tableOf.delete(id);
    this.deleted.set(id, before);
    this.timeVersion += 1;
  }

  /** A number that is known of a resource and that clients do not see. */
  mark(name: string): number | undefined {
    return this.marks.get(name);
  }

  setMark(name: string, value: number): void {
    const before = this.marks.get(name);
    this.record(() => (before === undefined ? this.marks.delete(name) : this.marks.set(name, before)));
    this.marks.set(name, value);
    this.timeVersion += 1;
  }

  /** Runs work that does not wait. What it changed is taken back when it throws, unless it throws KeptChanges. */
  transaction<Result>(work: () => Result): Result {
    if (this.undo) return work();
    this.undo = [];
    try {
      return work();
    } catch (error) {
      if (error instanceof KeptChanges) throw error.error;
      this.takeBack(this.undo);
      throw error;
    } finally {
      this.undo = undefined;
    }
  }

  /** What work would answer, without its changes. */
  trial<Result>(work: () => Result): Result {
    const outer = this.undo;
    this.undo = [];
    try {
      return work();
    } finally {
      this.takeBack(this.undo);
      this.undo = outer;
    }
  }

  contents(): StoreContents {
    const tables = Object.fromEntries(names.map((name) => [name, this.all(name)]));
    return {
      tables: tables as unknown as StoreContents['tables'],
      deleted: [...this.deleted.values()],
      marks: [...this.marks],
    };
  }

  load(contents: StoreContents): void {
    for (const name of names) {
      for (const resource of contents.tables[name] ?? []) {
        (this.rows[name] as Map<string, Resource>).set(resource.id, resource);
        this.tableOf.set(resource.id, name);
      }
    }
    for (const resource of contents.deleted) this.deleted.set(resource.id, resource);
    for (const [name, value] of contents.marks) this.marks.set(name, value);
    this.version += 1;
    this.timeVersion += 1;
  }

  private takeBack(steps: readonly (() => void)[]): void {
    for (const step of steps.toReversed()) step();
    this.timeVersion += 1;
  }

  private record(step: () => void): void {
    if (!this.undo) throw new Error('a change outside a transaction');
    this.undo.push(step);
    this.version += 1;
  }
}
