/**
 * A column whose values were sealed with the keyring. Areas declare theirs, so that a rotation of SECRETS_KEY finds
 * them; a test refuses a `sealed_...` column that nobody declared.
 */
export interface SealedColumn {
  table: string;
  /** The primary key, in its order; columns of text or whole numbers. */
  idColumns: readonly string[];
  /** Text; null where there is no secret. */
  column: string;
  /** The column whose value each secret is bound to. */
  boundTo: string;
}
