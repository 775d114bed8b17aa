// Which tongue the page speaks: the browser's at first, then what was chosen here.
import { en, type Words } from './en';
import { zh } from './zh';

const TONGUES = { en, zh } as const;
export type Tongue = keyof typeof TONGUES;
const KEY = 'drydock.tongue';

function first(): Tongue {
  const kept = localStorage.getItem(KEY);
  if (kept === 'en' || kept === 'zh') return kept;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

class Speech {
  tongue = $state<Tongue>(first());
  words: Words = $derived(TONGUES[this.tongue]);
  /** For dates and the document's own `lang`. */
  tag = $derived(this.tongue === 'zh' ? 'zh-CN' : 'en-GB');

  choose(tongue: Tongue): void {
    this.tongue = tongue;
    localStorage.setItem(KEY, tongue);
  }
}

export const speech = new Speech();
