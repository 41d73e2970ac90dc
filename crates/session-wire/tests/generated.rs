//! The checked-in code is what `proto/` compiles to. `LASTCALL_CODEGEN=write` (`cargo xtask codegen`) renews it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message as _;

const FILES: [&str; 2] = ["lastcall.v1.rs", "descriptor.bin"];

#[test]
fn the_checked_in_code_is_what_the_proto_files_compile_to() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checked_in = root.join("src/generated");
    let fresh = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("generated");
    fs::create_dir_all(&fresh)?;
    generate(&root.join("../../proto"), &fresh)?;

    let write = std::env::var("LASTCALL_CODEGEN").is_ok_and(|value| value == "write");
    for file in FILES {
        let new = fs::read(fresh.join(file))?;
        if write {
            fs::write(checked_in.join(file), &new)?;
        }
        let old = fs::read(checked_in.join(file))?;
        assert!(old == new, "{file} is not what proto/ compiles to: run `cargo xtask codegen` and commit the result");
    }
    Ok(())
}

fn generate(proto: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let entry = proto.join("lastcall/v1/introspection.proto");
    let files = protox::compile([entry], [proto])?;
    fs::write(out.join(FILES[1]), files.encode_to_vec())?;
    tonic_prost_build::configure().out_dir(out).compile_fds(files)?;
    Ok(())
}
