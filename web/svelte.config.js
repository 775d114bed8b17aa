// Compiler settings: runes everywhere, no style injected from scripts (the content security policy forbids it).
export default { compilerOptions: { runes: true, css: 'external' } };
