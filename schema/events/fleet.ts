/** A group was made, changed or removed. */
export interface GroupChanged {
  groupId: string;
  name: string;
  /** Of a live group: all that is given must hold. Null of a static one. */
  filter: { tags?: string[] | null; status?: string | null; q?: string | null } | null;
  /** Of a static group all who are in it now; null when they are the same as before, and of a live one. */
  instanceIds: string[] | null;
  isRemoved: boolean;
}

/** What some of a tenant's instances measure, of that which its policies are about; each at least every five minutes. */
export interface MetricsMeasured {
  instances: {
    instanceId: string;
    /** When the newest beat came that it is of. */
    at: string;
    /** By path, as `metrics.cpu.avg_1h`; what was not measured is left out. */
    metrics: Record<string, number>;
  }[];
}
