s=open('spike3.ts').read()
s=s.replace('if(kind==="buf")','''if(kind==="rab") for(let i=0;i<120;i++){const b=new ArrayBuffer(8,{maxByteLength:1_000_000}); b.resize(1_000_000); const w=new Uint32Array(b); w.fill(1); keep.push(w);}
if(kind==="gsab") for(let i=0;i<120;i++){const b=new SharedArrayBuffer(8,{maxByteLength:1_000_000}); b.grow(1_000_000); const w=new Uint32Array(b); w.fill(1); keep.push(w);}
if(kind==="sab") for(let i=0;i<120;i++){const b=new SharedArrayBuffer(1_000_000); const w=new Uint32Array(b); w.fill(1); keep.push(w);}
if(kind==="wasmgrow") {const m=new WebAssembly.Memory({initial:1,maximum:65536}); for(let i=0;i<120;i++) m.grow(16); const w=new Uint32Array(m.buffer); w.fill(1); keep.push(w);}
if(kind==="wasmshared") {const m=new WebAssembly.Memory({initial:1,maximum:65536,shared:true}); for(let i=0;i<120;i++) m.grow(16); const w=new Uint32Array(m.buffer); w.fill(1); keep.push(w);}
if(kind==="buf")''')
open('spike3.ts','w').write(s)
