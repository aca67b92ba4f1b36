import { keyed, list, map, object, set, text, untyped, whole } from './schema.js';

/** ObjectMeta. */
export const metadata = object({
  annotations: map(text),
  creationTimestamp: text,
  deletionGracePeriodSeconds: whole,
  deletionTimestamp: text,
  finalizers: set(text),
  generateName: text,
  generation: whole,
  labels: map(text),
  managedFields: list(untyped),
  name: text,
  namespace: text,
  ownerReferences: keyed(['uid'], untyped),
  resourceVersion: text,
  selfLink: text,
  uid: text,
});
