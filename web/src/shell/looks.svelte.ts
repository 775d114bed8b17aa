// Light or dark, remembered in this browser; follows the system until told otherwise.

export type Look = 'auto' | 'light' | 'dark';
const KEY = 'drydock.look';
const ORDER: Look[] = ['auto', 'light', 'dark'];

function stored(): Look {
  const value = localStorage.getItem(KEY) as Look | null;
  return value && ORDER.includes(value) ? value : 'auto';
}

class Looks {
  look = $state<Look>(stored());

  apply(): void {
    document.documentElement.dataset['look'] = this.look;
  }

  next(): void {
    this.look = ORDER[(ORDER.indexOf(this.look) + 1) % ORDER.length] ?? 'auto';
    localStorage.setItem(KEY, this.look);
    this.apply();
  }
}

export const looks = new Looks();
