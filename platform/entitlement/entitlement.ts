/** What a tenant may use. A limit of null is unlimited; one that is absent was not granted and counts as zero. */
export interface Entitlement {
  plan: string;
  features: readonly string[];
  limits: Readonly<Record<string, number | null>>;
  /** Whether nothing may be added until an overdue payment is made. */
  isReadOnly: boolean;
}
