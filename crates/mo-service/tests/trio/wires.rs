//! The ways between three stores, each direction of each of which can be cut: what is sent there waits, as on a dropped route.

use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

/// From whom to whom nothing goes through.
pub type Cuts = [[bool; 3]; 3];

/// All ways, those of clients included: these are never cut.
pub struct Wires {
    cuts: Arc<watch::Sender<Cuts>>,
    names: Arc<[String; 3]>,
}

impl Wires {
    /// Between the stores of these names.
    pub fn new(names: [String; 3]) -> Wires {
        Wires { cuts: Arc::new(watch::Sender::new(Cuts::default())), names: Arc::new(names) }
    }

    /// A door before a door of a store; its address.
    pub async fn before(&self, store: usize, door: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (door, cuts, names) = (door.to_owned(), Arc::clone(&self.cuts), Arc::clone(&self.names));
        tokio::spawn(async move {
            while let Ok((caller, _)) = listener.accept().await {
                tokio::spawn(carry(caller, door.clone(), store, Arc::clone(&cuts), Arc::clone(&names)));
            }
        });
        address
    }

    /// Cuts one direction.
    pub fn cut(&self, from: usize, to: usize) {
        self.cuts.send_modify(|cuts| cuts[from][to] = true);
    }

    /// Cuts a store off, in both directions.
    pub fn isolate(&self, store: usize) {
        for other in 0..3 {
            self.cut(store, other);
            self.cut(other, store);
        }
    }

    /// All goes through again, and first what waited.
    pub fn mend(&self) {
        self.cuts.send_replace(Cuts::default());
    }
}

/// Who calls is known by its greeting, which names the caller first.
fn caller_of(greeting: &[u8], names: &[String; 3]) -> Option<usize> {
    let place = |name: &String| greeting.windows(name.len()).position(|window| window == name.as_bytes());
    let places = names.iter().enumerate().filter_map(|(store, name)| Some((place(name)?, store)));
    places.min().map(|(_, store)| store)
}

async fn carry(
    mut caller: TcpStream,
    door: String,
    store: usize,
    cuts: Arc<watch::Sender<Cuts>>,
    names: Arc<[String; 3]>,
) {
    let mut greeting = vec![0; 4096];
    let Ok(length @ 1..) = caller.read(&mut greeting).await else { return };
    let from = caller_of(&greeting[..length], &names);
    let open = |a: Option<usize>, b: Option<usize>| Way { cuts: cuts.subscribe(), from: a, to: b };
    let (mut there, mut back) = (open(from, Some(store)), open(Some(store), from));
    there.is_open().await;
    let Ok(mut target) = TcpStream::connect(&door).await else { return };
    let _ = (caller.set_nodelay(true), target.set_nodelay(true));
    if target.write_all(&greeting[..length]).await.is_err() {
        return;
    }
    let ((from_caller, to_caller), (from_store, to_store)) = (caller.into_split(), target.into_split());
    tokio::select! {
        () = there.forward(from_caller, to_store) => {}
        () = back.forward(from_store, to_caller) => {}
    }
}

/// One direction of one connection.
struct Way {
    cuts: watch::Receiver<Cuts>,
    from: Option<usize>,
    to: Option<usize>,
}

impl Way {
    async fn is_open(&mut self) {
        if let (Some(from), Some(to)) = (self.from, self.to) {
            let _ = self.cuts.wait_for(|cuts| !cuts[from][to]).await;
        }
    }

    async fn forward(&mut self, mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf) {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let length = from.read(&mut buffer).await.unwrap_or(0);
            // That the other side hung up is not heard on a cut way either.
            self.is_open().await;
            if length == 0 || to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    }
}
