//! Tables and properties of the frame reader.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A frame whose payload looks like headers.
fn frame(first: u8, payload_bytes: usize, mask: Option<[u8; 4]>) -> Vec<u8> {
    let mask_bit = if mask.is_some() { MASK } else { 0 };
    let mut frame = vec![first];
    match payload_bytes {
        0..126 => frame.push(mask_bit | payload_bytes as u8),
        126..65536 => {
            frame.push(mask_bit | 126);
            frame.extend((payload_bytes as u16).to_be_bytes());
        }
        _ => {
            frame.push(mask_bit | 127);
            frame.extend((payload_bytes as u64).to_be_bytes());
        }
    }
    frame.extend(mask.iter().flatten());
    frame.extend(std::iter::repeat_n([0x88, 0x02], payload_bytes).flatten().take(payload_bytes));
    frame
}

/// Frames of a valid sequence: text messages in fragments with pings between them.
fn sequence() -> impl Strategy<Value = Vec<(u8, usize, Option<[u8; 4]>)>> {
    let payload = prop_oneof![Just(0usize), 1usize..125, 125usize..129, 300usize..2000, 65530usize..65540];
    let fragments = vec((payload, any::<Option<[u8; 4]>>(), any::<bool>()), 1..4);
    vec(fragments, 1..4).prop_map(|messages| {
        let mut frames = Vec::new();
        for fragments in messages {
            let last = fragments.len() - 1;
            for (index, (payload, mask, pings)) in fragments.into_iter().enumerate() {
                let opcode = if index == 0 { 0x1 } else { 0x0 };
                frames.push((opcode | if index == last { FIN } else { 0 }, payload, mask));
                if pings {
                    frames.push((0x89, payload.min(125), mask));
                }
            }
        }
        frames
    })
}

/// Where the frames and the messages end.
fn expected(frames: &[(u8, usize, Option<[u8; 4]>)]) -> (Vec<u8>, Vec<usize>, Vec<usize>) {
    let (mut bytes, mut ends, mut message_ends, mut in_message) = (Vec::new(), vec![0], vec![0], false);
    for &(first, payload, mask) in frames {
        bytes.extend(frame(first, payload, mask));
        ends.push(bytes.len());
        if first & 0x8 == 0 {
            in_message = first & FIN == 0;
        }
        if !in_message {
            message_ends.push(bytes.len());
        }
    }
    (bytes, ends, message_ends)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_limit_is_reached_at_the_next_boundary_however_the_bytes_arrive(
        frames in sequence(),
        chunks in vec(1usize..5000, 1..6),
        stop in any::<prop::sample::Index>(),
    ) {
        let (bytes, frame_ends, message_ends) = expected(&frames);
        let stop = stop.index(bytes.len());
        for (limit, ends) in [(Limit::Frame, &frame_ends), (Limit::Message, &message_ends)] {
            let (mut reader, mut accepted, mut given) = (FrameReader::default(), 0, 0);
            let mut sizes = chunks.iter().cycle();
            // Without a limit up to `stop`; from there on with it.
            while given < bytes.len() {
                let size = *sizes.next().unwrap();
                let limit = if given < stop { Limit::None } else { limit };
                let next = if given < stop { stop.min(given + size) } else { bytes.len().min(given + size) };
                given = next;
                accepted += reader.accept(&bytes[accepted..given], limit);
            }
            let reached = reader.has_reached(limit);
            prop_assert!(reached, "{:?} is not reached", limit);
            let before_limit = ends.iter().copied().find(|&end| end >= accepted).unwrap();
            prop_assert_eq!(accepted, before_limit, "not at a boundary");
            // The one that follows the last header that was complete at `stop`.
            let previous = ends.iter().copied().filter(|&end| end < accepted).max().unwrap_or(0);
            prop_assert!(previous <= stop, "a boundary was passed: {} {} {}", previous, stop, accepted);
            prop_assert!(accepted + MAX_HEADER_BYTES > stop, "too early: {} {}", stop, accepted);
        }
    }

    #[test]
    fn everything_is_accepted_but_the_beginning_of_a_header(frames in sequence(), chunks in vec(1usize..300, 1..6)) {
        let (bytes, ends, _) = expected(&frames);
        let (mut reader, mut accepted, mut given) = (FrameReader::default(), 0, 0);
        let mut sizes = chunks.iter().cycle();
        while given < bytes.len() {
            given = bytes.len().min(given + sizes.next().unwrap());
            accepted += reader.accept(&bytes[accepted..given], Limit::None);
            prop_assert!(accepted == given || (ends.contains(&accepted) && given - accepted < MAX_HEADER_BYTES));
            prop_assert_eq!(reader.is_between_frames(), ends.contains(&accepted));
        }
        prop_assert_eq!(accepted, bytes.len());
    }

    #[test]
    fn any_bytes_are_followed_without_a_panic(bytes in vec(any::<u8>(), 0..200), limit in 0usize..3) {
        let mut reader = FrameReader::default();
        let limit = [Limit::None, Limit::Message, Limit::Frame][limit];
        prop_assert!(reader.accept(&bytes, limit) <= bytes.len());
    }
}

#[test]
fn headers_of_all_lengths_are_read() {
    for (bytes, expected) in [
        (vec![0x81], None),
        (vec![0x81, 0x00], Some((2, 0))),
        (vec![0x81, 0x7d], Some((2, 125))),
        (vec![0x81, 0x7e, 0x00], None),
        (vec![0x81, 0x7e, 0x00, 0x05], Some((4, 5))),
        (vec![0x81, 0xfe, 0xff, 0xff, 1, 2, 3], None),
        (vec![0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4], Some((8, 65535))),
        (vec![0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0], None),
        (vec![0x82, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Some((10, i64::MAX as u64))),
        (vec![0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4], Some((14, 1 << 32))),
    ] {
        let header = Header::parse(&bytes).unwrap();
        assert_eq!(header.map(|header| (header.header_bytes, header.payload_bytes)), expected, "{bytes:x?}");
    }
}

#[test]
fn a_frame_of_2_to_the_63_bytes_is_a_fault_and_not_accepted() {
    let mut reader = FrameReader::default();
    let mut bytes = frame(0x81, 3, None);
    let valid = bytes.len();
    bytes.extend([0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
    assert_eq!(reader.accept(&bytes, Limit::None), valid);
    assert!(reader.is_faulty() && reader.is_between_frames());
    assert_eq!(reader.accept(&bytes, Limit::None), 0, "nothing after it either");
}

#[test]
fn a_control_frame_inside_a_message_does_not_end_the_message_and_reserved_bits_pass() {
    let mut reader = FrameReader::default();
    // The first frame of a compressed message, and a ping.
    reader.accept(&[0x41, 0x00, 0x89, 0x00], Limit::None);
    assert!(reader.is_between_frames() && !reader.has_reached(Limit::Message));
    assert_eq!(reader.accept(&[0xf3, 0x00, 0x80, 0x00, 0x81, 0x00], Limit::Message), 2, "a reserved opcode, final");
}

#[test]
fn nothing_is_accepted_behind_a_close_frame() {
    let mut reader = FrameReader::default();
    assert_eq!(reader.accept(&[0x88, 0x02, 0x03, 0xe8, 0x81, 0x00], Limit::None), 4);
    assert!(reader.is_closed());
    let mut reader = FrameReader::default();
    assert_eq!(reader.accept(&[0x88, 0x80, 1, 2, 3, 4, 0x81], Limit::None), 6, "without a code");
    assert!(reader.is_closed());
}
