import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

/** A key pair that every process with the same SECRETS_KEY arrives at by itself. */
export interface DerivedKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

interface RingKey {
  id: string;
  bytes: Buffer;
}

// RFC 8410, section 7: the DER that goes before the 32 seed bytes of an Ed25519 private key.
const ed25519Pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * The keys of SECRETS_KEY: the first one seals, all of them open. To rotate, put a new key in front and keep the old
 * one behind it until everything has been sealed anew.
 */
export class Keyring {
  private readonly keys: readonly [RingKey, ...RingKey[]];

  constructor(keys: readonly Buffer[]) {
    const ring = keys.map((bytes) => {
      if (bytes.length !== 32) throw new Error('each secrets key must be 32 bytes');
      return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes };
    });
    const [first, ...rest] = ring;
    if (!first) throw new Error('a keyring needs at least one key');
    this.keys = [first, ...rest];
  }

  /** Reads `base64[,base64...]`, newest first. */
  static parse(text: string): Keyring {
    return new Keyring(text.split(',').map((part) => Buffer.from(part.trim(), 'base64')));
  }

  has(keyId: string): boolean {
    return this.keys.some(({ id }) => id === keyId);
  }

  get keyIds(): readonly string[] {
    return this.keys.map(({ id }) => id);
  }

  get currentKeyId(): string {
    return this.keys[0].id;
  }

  /**
   * Seals with AES-256-GCM under the current key. `boundTo` (an id, usually) is authenticated but not kept: a sealed
   * value copied to another row does not open there. Answers `v1.<key id>.<nonce>.<tag and ciphertext>`.
   */
  seal(plaintext: string, boundTo: string): string {
    const [key] = this.keys;
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce).setAAD(Buffer.from(boundTo));
    const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    const sealed = Buffer.concat([cipher.getAuthTag(), body]);
    return `v1.${key.id}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`;
  }

  /** Opens what `seal` made; throws when the key is not on the ring or anything was altered. */
  open(sealed: string, boundTo: string): string {
    const [version, keyId, nonce, rest] = sealed.split('.');
    const key = this.keys.find((candidate) => candidate.id === keyId);
    if (version !== 'v1' || !nonce || !rest) throw new Error('not a sealed value');
    if (!key) throw new Error(`sealed with key ${keyId}, which SECRETS_KEY does not hold`);
    const bytes = Buffer.from(rest, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(nonce, 'base64url'), {
      authTagLength: 16,
    });
    decipher.setAAD(Buffer.from(boundTo)).setAuthTag(bytes.subarray(0, 16));
    return Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]).toString('utf8');
  }

  /** The id of the key that sealed a value, so that a rotation finds what is still to be sealed anew. */
  static keyIdOf(sealed: string): string | undefined {
    return sealed.split('.')[1];
  }

  /** A password that every process with the same SECRETS_KEY arrives at by itself. */
  deriveText(purpose: string): string {
    return deriveBytes(this.keys[0].bytes, purpose).toString('base64url');
  }

  /** Ed25519 keys for one purpose, by HKDF-SHA256 (RFC 5869) from each key on the ring; the first one signs. */
  derive(purpose: string): [DerivedKey, ...DerivedKey[]] {
    const [first, ...rest] = this.keys.map((key) => {
      const privateKey = createPrivateKey({
        key: Buffer.concat([ed25519Pkcs8Prefix, deriveBytes(key.bytes, purpose)]),
        format: 'der',
        type: 'pkcs8',
      });
      return { kid: `${purpose}-${key.id}`, privateKey, publicKey: createPublicKey(privateKey) };
    });
    return [first!, ...rest];
  }
}

function deriveBytes(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `quazzar/${purpose}`, 32));
}
