/**
 * Remembers a value as the newest of a map, and forgets the oldest where there are more than `most`: a
 * Map keeps the order in which its keys came. Pure but for the map.
 */
export function putNewest<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
