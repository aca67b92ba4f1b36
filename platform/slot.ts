/** One value with each of other people's objects. */
export interface Slot<Value> {
  get(holder: object): Value | undefined;
  set(holder: object, value: Value): void;
}

/**
 * What a WeakMap is for, where there is a new object for each request: V8 takes what an old WeakMap holds for alive until
 * it goes through the whole heap, so that all that hung on every request (some 18 kB) was copied and kept until then. Here
 * the value is in a private field of the object. Copies of the object do not have it.
 */
export function makeSlot<Value>(): Slot<Value> {
  class Holder extends Given {
    #value: Value;

    private constructor(object: object, value: Value) {
      super(object);
      this.#value = value;
    }

    static get(object: object): Value | undefined {
      return #value in object ? (object as Holder).#value : undefined;
    }

    static set(object: object, value: Value): void {
      if (#value in object) (object as Holder).#value = value;
      else new Holder(object, value);
    }
  }
  return { get: (object) => Holder.get(object), set: (object, value) => Holder.set(object, value) };
}

/** Constructs the object that it is given, which gets the private fields of the class below. */
class Given {
  constructor(object: object) {
    return object;
  }
}
